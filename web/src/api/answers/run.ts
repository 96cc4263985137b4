// Answers of /api/penstock/v1: runs and their events. Times are ISO 8601 in UTC.

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

export interface RunList {
  runs: RunLine[];
  before: string | null;
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
