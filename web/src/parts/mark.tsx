import { words } from "../format";

/** The class of personal data that a column holds, and whether it is masked. */
export function PiiMark({ pii, masked }: { pii: string | null; masked: boolean }) {
  if (!pii) return masked ? <MaskMark /> : null;
  return (
    <span className={masked ? "mark mark-pii mark-pii-masked" : "mark mark-pii"}>
      <span className="unseen">personal data: </span>
      {words(pii)}
      <span className="mark-more">{masked ? "masked" : "in clear"}</span>
    </span>
  );
}

export function MaskMark({ how }: { how?: string | null }) {
  return (
    <span className="mark mark-mask" title={how || undefined}>
      <Lock /> masked
    </span>
  );
}

export function Lock() {
  return (
    <svg className="glyph" viewBox="0 0 12 12" aria-hidden="true">
      <rect x="2" y="5.2" width="8" height="5.6" rx="1" fill="currentColor" />
      <path d="M4 5V3.6a2 2 0 0 1 4 0V5" fill="none" stroke="currentColor" strokeWidth="1.3" />
    </svg>
  );
}

export function KeyMark() {
  return <span className="mark mark-key">key</span>;
}

const STATES: Record<string, string> = {
  COMPLETE: "state-complete",
  FAIL: "state-fail",
  ABORT: "state-abort",
  START: "state-start",
  RUNNING: "state-start",
};
const SAID: Record<string, string> = { FAIL: "failed", ABORT: "aborted", START: "started" };
const SYMBOLS: Record<string, string> = { COMPLETE: "✓", FAIL: "✕", ABORT: "■", START: "…", RUNNING: "…" };

export function RunState({ state }: { state: string }) {
  return (
    <span className={`mark run-state ${STATES[state] ?? "state-start"}`}>
      <span aria-hidden="true">{SYMBOLS[state] ?? "·"}</span> {SAID[state] ?? words(state)}
    </span>
  );
}

/** How an origin takes part, in words that need no manual. */
export function how(type: string | null, subtype: string | null): string {
  const known: Record<string, string> = {
    IDENTITY: "copied",
    TRANSFORMATION: "computed",
    AGGREGATION: "aggregated",
    JOIN: "decides by join",
    GROUP_BY: "decides by grouping",
    FILTER: "decides by filter",
    SORT: "decides the order",
    WINDOW: "decides by window",
    CONDITIONAL: "decides by condition",
  };
  if (subtype && known[subtype]) return known[subtype];
  if (subtype) return words(subtype);
  if (type === "DIRECT") return "makes the value";
  if (type === "INDIRECT") return "decides";
  return "not said how";
}
