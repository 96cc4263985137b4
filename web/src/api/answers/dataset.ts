// Answers of /api/penstock/v1: the page of a dataset and what is on it. Times are ISO 8601 in UTC.

import type { Column, ColumnEnd, Dataset } from "./graph";
import type { RunLine } from "./run";

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
