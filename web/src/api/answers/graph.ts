// Answers of /api/penstock/v1: datasets, jobs and what is made of what. Times are ISO 8601 in UTC.

export interface Column {
  name: string;
  type: string | null;
  description: string | null;
  pii: string | null;
  masked: boolean;
  key: boolean;
  unit: string | null;
}

export interface Dataset {
  id: string;
  namespace: string;
  name: string;
  label: string;
  group: string;
  owner: string | null;
  description: string | null;
  columns: Column[];
  more_upstream: number;
  more_downstream: number;
}

export interface Job {
  id: string;
  namespace: string;
  name: string;
  kind: string | null;
}

export interface Edge {
  job: string;
  source: string;
  /** null: the job reads and writes nothing */
  target: string | null;
  valid_from: string;
  valid_to: string | null;
}

/** An edge that ends at a dataset. */
export type DatasetEdge = Edge & { target: string };

export interface ColumnEdge {
  job: string;
  source: string;
  source_column: string;
  target: string;
  /** null: decides which rows there are, so it touches every column */
  target_column: string | null;
  type: "DIRECT" | "INDIRECT" | null;
  subtype: string | null;
  masking: boolean;
  description: string | null;
  valid_from: string;
  valid_to: string | null;
}

export interface Graph {
  at: string;
  datasets: Dataset[];
  jobs: Job[];
  edges: Edge[];
  /** absent when the whole graph was asked for */
  column_edges?: ColumnEdge[];
}

export interface Times {
  first: string | null;
  last: string | null;
  changes: string[];
}

export interface DatasetList {
  total: number;
  datasets: Dataset[];
}

export interface ReachedColumn {
  dataset: string;
  label: string;
  column: string;
  depth: number;
  type: "DIRECT" | "INDIRECT" | null;
  masked: boolean;
  pii: string | null;
}

export interface Impact {
  start: { dataset: string; column: string | null };
  direction: "upstream" | "downstream";
  columns: ReachedColumn[];
  datasets: { id: string; label: string; depth: number }[];
}

export interface Changes {
  added: ColumnEdge[];
  removed: ColumnEdge[];
  datasets_added: string[];
  datasets_removed: string[];
}

export interface ColumnEnd {
  dataset: string;
  label: string;
  column: string | null;
  type: "DIRECT" | "INDIRECT" | null;
  subtype: string | null;
  masking: boolean;
  description: string | null;
}
