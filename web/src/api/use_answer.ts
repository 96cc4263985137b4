import { useCallback, useEffect, useState } from "react";
import { ask, Failure, forget } from "./client";

export interface Answer<T> {
  /** The newest answer there is: while another one is awaited, the one before. */
  data: T | null;
  failure: Failure | null;
  waiting: boolean;
  again: () => void;
}

/** The answers at several addresses, all or none. */
export function useAnswers<T>(urls: readonly string[] | null): Answer<T[]> {
  const [data, setData] = useState<T[] | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [waiting, setWaiting] = useState(urls !== null);
  const [attempt, setAttempt] = useState(0);
  const key = urls === null ? null : urls.join("\n");

  useEffect(() => {
    if (key === null) {
      setData(null);
      setFailure(null);
      setWaiting(false);
      return;
    }
    let current = true;
    setWaiting(true);
    Promise.all((key === "" ? [] : key.split("\n")).map((url) => ask<T>(url))).then(
      (answers) => {
        if (!current) return;
        setData(answers);
        setFailure(null);
        setWaiting(false);
      },
      (error: unknown) => {
        if (!current) return;
        setFailure(error instanceof Failure ? error : new Failure(String(error), null, null, null));
        setWaiting(false);
      },
    );
    return () => {
      current = false;
    };
  }, [key, attempt]);

  const again = useCallback(() => {
    forget();
    setAttempt((count) => count + 1);
  }, []);
  return { data, failure, waiting, again };
}

/** The answer at an address; null asks nothing. */
export function useAnswer<T>(url: string | null): Answer<T> {
  const { data, ...rest } = useAnswers<T>(url === null ? null : [url]);
  return { ...rest, data: data?.[0] ?? null };
}
