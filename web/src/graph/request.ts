import type { ColumnRef } from "./ways";
import type { Grouping } from "./group";

/** All that the graph page shows, as its address says it. */
export interface Request {
  id: string | null;
  steps: number;
  up: string[];
  down: string[];
  chosen: ColumnRef | null;
  target: ColumnRef | null;
  onlyWays: boolean;
  indirect: boolean;
  /** null: shown while there are few datasets */
  columns: boolean | null;
  grouping: Grouping;
  at: string | null;
  since: string | null;
  until: string | null;
  comparing: boolean;
}

export const STEPS = [1, 2, 3, 5, 10] as const;

export function requestOf(query: URLSearchParams): Request {
  const ref = (dataset: string, column: string): ColumnRef | null => {
    const id = query.get(dataset);
    const name = query.get(column);
    return id !== null && name !== null ? { dataset: id, column: name } : null;
  };
  const chosen = ref("dataset", "column");
  const group = query.get("group");
  const steps = Number(query.get("steps") ?? 1);
  return {
    id: query.get("id"),
    steps: STEPS.find((one) => one === steps) ?? 1,
    up: query.getAll("up"),
    down: query.getAll("down"),
    chosen,
    target: chosen ? ref("to_dataset", "to_column") : null,
    onlyWays: chosen !== null && query.get("only") === "1",
    indirect: query.get("indirect") !== "0",
    columns: query.has("columns") ? query.get("columns") !== "0" : null,
    grouping: group === "namespace" || group === "none" ? group : "layer",
    at: query.get("at"),
    since: query.get("since"),
    until: query.get("until"),
    comparing: query.has("since"),
  };
}
