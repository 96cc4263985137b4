import { useEffect, useRef, type ReactNode } from "react";
import { Name } from "./link";

interface PageProps {
  title: string;
  kicker?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  wide?: boolean;
  narrow?: boolean;
  children: ReactNode;
}

/** A page with its heading, which takes the focus when the page is opened from another one. */
export function Page({ title, kicker, lead, actions, wide, narrow, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Penstock lineage`;
  }, [title]);
  useEffect(() => {
    if (document.body.dataset.visited) heading.current?.focus({ preventScroll: true });
    document.body.dataset.visited = "true";
  }, []);
  return (
    <main id="content" className={wide ? "page page-wide" : narrow ? "page page-narrow" : "page"}>
      <div className="page-head">
        <div>
          {kicker && <p className="kicker">{kicker}</p>}
          <h1 ref={heading} tabIndex={-1}>
            <Name text={title} />
          </h1>
          {lead && <p className="lead">{lead}</p>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {children}
    </main>
  );
}
