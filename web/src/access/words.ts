import { nameOf, short, time } from "../format";

const OWN = "/api/penstock/v1";
const MARQUEZ = "/api/v1";

interface Call {
  method: string;
  path: string;
  query: string;
}

/** What somebody asked for, in words; `labels` are what people call the datasets, by id. */
export function asked(call: Call, labels: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(call.query);
  const of = (name = "id") => {
    const id = query.get(name) ?? "";
    return labels[id] ?? (nameOf(id) || "a dataset");
  };
  const columnOf = (dataset: string, column: string) => (query.get(column) ? `${of(dataset)}.${query.get(column)}` : of(dataset));
  const at = query.get("at") ? ` as of ${time(query.get("at"))}` : "";
  if (!call.path.startsWith(`${OWN}/`)) return call.path.startsWith(`${MARQUEZ}/`) ? marquez(call, query) : call.path;
  switch (call.path.slice(OWN.length)) {
    case "/session":
      return call.method === "POST" ? "sign in" : call.method === "DELETE" ? "sign out" : "who is signed in";
    case "/summary":
      return "figures of the whole";
    case "/times":
      return "when the graph changed";
    case "/datasets":
      return query.get("q") ? `list of datasets with “${query.get("q")}”` : "list of datasets";
    case "/graph":
      return (query.get("id") ? `graph around ${of()}` : "whole graph") + at;
    case "/impact":
      return `${query.get("direction") === "upstream" ? "origins" : "impact"} of ${columnOf("id", "column")}${at}`;
    case "/path":
      return `ways from ${columnOf("source", "source_column")} to ${columnOf("target", "target_column")}${at}`;
    case "/changes":
      return query.get("id") ? `changes of the graph at ${of()}` : "changes of the graph";
    case "/dataset":
      return `dataset page ${of()}${at}`;
    case "/dataset/runs":
      return `runs of ${of()}${at}`;
    case "/dataset/history":
      return `history of ${of()}${at}`;
    case "/run":
      return `run page ${short(query.get("id") ?? "")}`;
    case "/run/diff":
      return `what differs in run ${short(query.get("id") ?? "")}`;
    case "/readers":
      return `runs that read ${columnOf("id", "column")}`;
    case "/search":
      return `search for “${query.get("q") ?? ""}”`;
    case "/pii":
      return "personal data, all of it";
    case "/access":
      return query.get("dataset") ? `access log: who has looked at ${of("dataset")}` : "access log";
    case "/coverage":
      return query.get("id") ? `coverage of ${of()}` : "coverage: what was written past Penstock";
    case "/evidence":
      if (query.get("pii")) return `evidence of personal data: ${query.get("pii")}`;
      return query.get("id") ? `evidence of ${columnOf("id", "column")}` : "evidence of a period";
    case "/events_not_understood":
      return "events that could not be understood";
    default: {
      const what = call.path.slice(OWN.length + 1);
      return query.get("id") ? `${what} of ${of()}` : what;
    }
  }
}

// Of Marquez's API the path says what is asked for.
function marquez(call: Call, query: URLSearchParams): string {
  const path = call.path.slice(MARQUEZ.length + 1);
  if (call.method === "POST" && path.startsWith("lineage")) return "events sent";
  const node = query.get("nodeId");
  return `by Marquez’s API: ${node ? `${path} of ${node}` : path}`;
}
