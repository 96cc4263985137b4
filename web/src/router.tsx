import { useCallback, useMemo, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from "react";

// The address bar is the state: what is shown can be sent.
const listeners = new Set<() => void>();
const told = () => {
  for (const listener of listeners) listener();
};

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("popstate", told);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("popstate", told);
  };
}

const here = () => window.location.pathname + window.location.search;

export function navigate(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const from = window.location.pathname;
  if (to === here()) return;
  if (replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  told();
  if (window.location.pathname !== from) window.scrollTo(0, 0);
}

export interface Place {
  path: string;
  query: URLSearchParams;
}

export function usePlace(): Place {
  const text = useSyncExternalStore(subscribe, here);
  return useMemo(() => {
    const [path, search] = text.split("?", 2);
    return { path: path || "/", query: new URLSearchParams(search ?? "") };
  }, [text]);
}

export type Change = Record<string, string | readonly string[] | null>;

/** The query with some parameters set, or taken out where the value is null or empty. */
export function changed(query: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    next.delete(name);
    for (const one of value === null ? [] : typeof value === "string" ? [value] : value)
      if (one !== "") next.append(name, one);
  }
  return next;
}

export function useQueryChange(): (change: Change, options?: { replace?: boolean }) => void {
  return useCallback((change, options) => {
    const next = changed(new URLSearchParams(window.location.search), change).toString();
    navigate(window.location.pathname + (next ? `?${next}` : ""), options);
  }, []);
}

/** A path and its query as an address within these pages. */
export function to(path: string, query: Record<string, string | null | undefined> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
  const text = parameters.toString();
  return path + (text ? `?${text}` : "");
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { href: string };

/** A link within these pages; a middle click or a modifier does what it does everywhere. */
export function Link({ href, onClick, ...rest }: LinkProps) {
  const go = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || rest.target) return;
    event.preventDefault();
    navigate(href);
  };
  return <a {...rest} href={href} onClick={go} />;
}
