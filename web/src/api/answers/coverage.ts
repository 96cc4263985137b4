// Answers of /api/penstock/v1: which writes and reads the ledger knows of. Times are ISO 8601 in UTC.

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
