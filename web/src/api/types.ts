// The answers of /api/penstock/v1. Times are ISO 8601 in UTC.

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

export interface RunLine {
  run_id: string;
  /** the job's id */
  job: string;
  kind: string | null;
  state: string;
  started: string | null;
  ended: string | null;
  seconds: number | null;
  slice: string | null;
  rows_in: number | null;
  rows_committed: number | null;
  rows_quarantined: number | null;
  version: string | null;
  bytes: number | null;
  files: number | null;
}

export interface CheckLine {
  at: string;
  run_id: string;
  name: string;
  column: string | null;
  success: boolean;
  severity: string | null;
  failed_rows: number | null;
}

export interface ContractVersion {
  version: string;
  fingerprint: string;
  registered_at: string;
  document: Record<string, unknown>;
}

/** What every list says of a run that wrote a dataset. */
export interface WrittenBy {
  run_id: string;
  job: string;
  state: string;
  at: string;
  slice: string | null;
  version: string | null;
}

export interface Freshness {
  verdict: "fresh" | "late" | "unproven" | "no_promise" | "never" | "unknown";
  judged_at: string;
  promise_seconds: number | null;
  contract_version: string | null;
  /** what the newest rows are of: the end of their slice, or the run that wrote them if that is earlier */
  as_of: string | null;
  age_seconds: number | null;
  late_by_seconds: number | null;
  /** the last run that completed and wrote rows */
  written: (WrittenBy & { rows: number | null }) | null;
  /** a later one that wrote none */
  unchanged: (WrittenBy & { rows: number | null }) | null;
  /** one that does not say whether it wrote; its rows would be newer */
  untold: (WrittenBy & { rows: number | null }) | null;
  failed_since: number;
  newest_slice: { slice: string | null; until: string | null; run_id: string } | null;
  /** how many runs were looked at */
  runs: number;
  complete: boolean;
}

export interface RunList {
  runs: RunLine[];
  before: string | null;
}

export interface Measured {
  files: number | null;
  bytes: number | null;
  expired_files: number | null;
}

export interface WrittenFiles extends WrittenBy {
  outcome: "rows" | "nothing" | "untold";
  upkeep: boolean;
  files_written: number | null;
  bytes_written: number | null;
}

export interface UpkeepRun extends WrittenBy {
  status: string | null;
  operations: string[];
  reasons: string[];
  before: Measured;
  after: Measured;
  files_written: number | null;
  bytes_written: number | null;
}

export interface Quarantine {
  rows: number | null;
  /** in the latest completed run of each slice; null: it does not say, or a completed run tells no slice */
  rows_latest: number | null;
  by_check: { check: string; rows: number }[];
  told: number;
  untold: number;
  where: string | null;
  runs: (WrittenBy & { rows_quarantined: number | null; by_check: Record<string, number>; where: string | null })[];
}

export interface DatasetHistory {
  runs: number;
  complete: boolean;
  files: WrittenFiles[];
  upkeep: UpkeepRun[];
  quarantine: Quarantine;
}

export interface UngovernedWrite {
  version: number;
  at: string;
  operation: string;
  who: string | null;
  run_id?: string;
}

export interface UndeclaredRead {
  run_id: string;
  at: string;
  dataset: string;
  label: string;
  columns: string[] | null;
  seen_by: string[];
  /** false: the query names no run and went on while this one did */
  certain: boolean;
}

export interface Coverage {
  datasets: {
    id: string;
    label: string;
    commits: number;
    governed: number;
    percent: number | null;
    ungoverned: UngovernedWrite[];
    missing_in_ledger: UngovernedWrite[];
    unknown_to_table: { version: number; at: string; run_id: string | null }[];
    by_day: { day: string; commits: number; governed: number }[];
    /** runs of Penstock that set out to write it, and of how many of them a listener of Spark told anything */
    runs: number;
    corroborated: number;
    /** null: no run is corroborated, so nothing is known; never to be shown as none */
    undeclared_reads: UndeclaredRead[] | null;
    reads_by_day: {
      day: string;
      runs: number;
      corroborated: number;
      undeclared_reads: number | null;
    }[];
  }[];
}

export interface DatasetPage extends Dataset {
  first_seen: string | null;
  last_seen: string | null;
  symlinks: { namespace: string; name: string }[];
  contract: { name: string; version: string } | null;
  contracts: ContractVersion[];
  owners: string[];
  columns: (Column & { checks: string[]; upstream: ColumnEnd[]; downstream: ColumnEnd[] })[];
  rows_from: ColumnEnd[];
  freshness: Freshness;
  /** whether its commits can be compared with the ledger */
  coverage: "offered" | "no_lake" | "no_table";
  runs: RunLine[];
  /** asks for the runs before these; null: there are none */
  runs_before: string | null;
  checks: CheckLine[];
  facets: Record<string, unknown>;
}

export interface RunEnd {
  dataset: string;
  label: string;
  version: string | null;
  facets: Record<string, unknown>;
  statistics?: Record<string, unknown> | null;
}

export interface ParentRun {
  run_id: string;
  job_name: string;
  job_namespace: string;
}

export interface RunEvent {
  sequence: number;
  event_type: string | null;
  event_time: string;
  recorded_at: string;
  link: string | null;
  /** the file it was moved to; null: it is in the ledger's table */
  archive: string | null;
}

export interface RunPage extends RunLine {
  parent: ParentRun | null;
  root: ParentRun | null;
  inputs: RunEnd[];
  outputs: RunEnd[];
  source: { url: string | null; path: string | null; commit: string | null; line: number | null } | null;
  error: string | { message?: string } | null;
  job_facets?: Record<string, unknown>;
  code_version: string | null;
  contract_version: string | null;
  facets: Record<string, unknown>;
  events: RunEvent[];
  /** files of the archive that may hold more of its events, and cannot be read */
  events_unread: { first: number; last: number; archive: string; why: string }[];
  events_complete: boolean;
  previous: string | null;
}

export interface RunDiff {
  run: string;
  other: string | null;
  differences: { what: string; subject: string | null; before: unknown; after: unknown }[];
}

export interface Readers {
  runs: {
    run_id: string;
    job: string;
    at: string;
    dataset_version: string | null;
    into: { dataset: string; label: string; column: string | null }[];
    masked: boolean | null;
  }[];
  /** false: there are more */
  complete?: boolean;
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

export type Role = "emitter" | "reader" | "auditor" | "admin";

export interface Session {
  /** null: nobody is signed in */
  name: string | null;
  role: Role | null;
  tokens_required: boolean;
}

export interface Access {
  id: number;
  at: string;
  /** empty: nobody was signed in */
  who: string;
  role: Role;
  client: string;
  method: string;
  path: string;
  query: string;
  status: number;
  refused: boolean;
}

export interface AccessLog {
  /** newest first */
  accesses: Access[];
  /** there are older ones */
  more: boolean;
  /** what people call the datasets that the calls named, by id */
  labels: Record<string, string>;
  /** the names of all tokens */
  callers: string[];
}

export interface NotUnderstood {
  total: number;
  events: { namespace: string; sequence: number; reason: string; at: string }[];
}
