// Answers of /api/penstock/v1: who is signed in, and who asked for what. Times are ISO 8601 in UTC.

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
