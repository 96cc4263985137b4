// Answers of /api/penstock/v1: the first page, search and personal data. Times are ISO 8601 in UTC.

export interface Summary {
  events: number;
  datasets: number;
  columns: number;
  jobs: number;
  runs: number;
  namespaces: string[];
  first_event: string | null;
  last_event: string | null;
  /** events that are kept and that the graph could not take */
  events_not_understood?: number;
  /** the orchestrator's web server, where there is one */
  dagster_url?: string | null;
}

export interface SearchResults {
  results: {
    kind: "dataset" | "column" | "job" | "run" | "tag" | "owner";
    label: string;
    detail: string | null;
    dataset: string | null;
    column: string | null;
    run_id: string | null;
  }[];
}

export interface PiiColumn {
  dataset: string;
  label: string;
  column: string;
  masked: boolean;
  in_clear: boolean;
  /** null: no contract says */
  cleared: boolean | null;
  /** false: no tag names the column; it is made of one that is tagged, in clear */
  tagged?: boolean;
  /** tagged as masked, and lineage shows a way to it on which nothing masks */
  contradicted?: boolean;
  from: { dataset: string; label: string; column: string; masking: boolean }[];
}

export interface Pii {
  classes: { pii: string; columns: PiiColumn[] }[];
}

export interface NotUnderstood {
  total: number;
  events: { namespace: string; sequence: number; reason: string; at: string }[];
}
