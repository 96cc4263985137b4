import type { ColumnEdge, Dataset, DatasetEdge, Edge, Graph, Job } from "../api/answers/graph";
import { nameOf } from "../format";

/** One graph of several answers: what was expanded, put together. */
export interface Merged {
  datasets: Map<string, Dataset>;
  jobs: Map<string, Job>;
  edges: DatasetEdge[];
  columnEdges: ColumnEdge[];
}

const SEPARATOR = "\u0000";

export function columnKey(dataset: string, column: string): string {
  return dataset + SEPARATOR + column;
}

export function edgeKey(edge: { job: string; source: string; target: string }): string {
  return [edge.job, edge.source, edge.target].join(SEPARATOR);
}

export function columnEdgeKey(edge: ColumnEdge): string {
  return [
    edge.job,
    edge.source,
    edge.source_column,
    edge.target,
    edge.target_column ?? SEPARATOR,
    edge.type ?? "",
    edge.subtype ?? "",
    edge.masking ? "masked" : "",
  ].join(SEPARATOR);
}

/**
 * The union of the answers. `more_upstream` and `more_downstream` of each dataset count the
 * neighbours that are in none of the answers.
 */
export function merge(answers: readonly Graph[], further: readonly ColumnEdge[] = []): Merged {
  const datasets = new Map<string, Dataset>();
  const jobs = new Map<string, Job>();
  const edges = new Map<string, DatasetEdge>();
  const columnEdges = new Map<string, ColumnEdge>();
  const all = { up: new Map<string, number>(), down: new Map<string, number>() };
  for (const answer of answers) {
    const near = neighbours(answer.edges.filter(ends));
    for (const dataset of answer.datasets) {
      if (!datasets.has(dataset.id)) datasets.set(dataset.id, dataset);
      raise(all.up, dataset.id, dataset.more_upstream + (near.up.get(dataset.id)?.size ?? 0));
      raise(all.down, dataset.id, dataset.more_downstream + (near.down.get(dataset.id)?.size ?? 0));
    }
    for (const job of answer.jobs) jobs.set(job.id, job);
    for (const edge of answer.edges.filter(ends)) edges.set(edgeKey(edge), edge);
    for (const edge of answer.column_edges ?? []) columnEdges.set(columnEdgeKey(edge), edge);
  }
  for (const edge of further) {
    columnEdges.set(columnEdgeKey(edge), edge);
    if (edge.source !== edge.target && !edges.has(edgeKey(edge)))
      edges.set(edgeKey(edge), {
        job: edge.job,
        source: edge.source,
        target: edge.target,
        valid_from: edge.valid_from,
        valid_to: edge.valid_to,
      });
  }
  const inside = [...edges.values()].filter((edge) => datasets.has(edge.source) && datasets.has(edge.target));
  const near = neighbours(inside);
  for (const [id, dataset] of datasets) {
    const up = Math.max(0, (all.up.get(id) ?? 0) - (near.up.get(id)?.size ?? 0));
    const down = Math.max(0, (all.down.get(id) ?? 0) - (near.down.get(id)?.size ?? 0));
    if (up !== dataset.more_upstream || down !== dataset.more_downstream)
      datasets.set(id, { ...dataset, more_upstream: up, more_downstream: down });
  }
  return {
    datasets,
    jobs,
    edges: inside,
    columnEdges: [...columnEdges.values()].filter((edge) => datasets.has(edge.source) && datasets.has(edge.target)),
  };
}

/** A job's name. An edge may come without its job: the name is in the id, behind the namespace. */
export function jobName(graph: Merged, id: string): string {
  return graph.jobs.get(id)?.name ?? nameOf(id);
}

/** The part of the graph that holds only the given datasets. */
export function only(graph: Merged, wanted: ReadonlySet<string>): Merged {
  return {
    datasets: new Map([...graph.datasets].filter(([id]) => wanted.has(id))),
    jobs: graph.jobs,
    edges: graph.edges.filter((edge) => wanted.has(edge.source) && wanted.has(edge.target)),
    columnEdges: graph.columnEdges.filter((edge) => wanted.has(edge.source) && wanted.has(edge.target)),
  };
}

function ends(edge: Edge): edge is DatasetEdge {
  return edge.target !== null;
}

function neighbours(edges: readonly DatasetEdge[]) {
  const up = new Map<string, Set<string>>();
  const down = new Map<string, Set<string>>();
  for (const { source, target } of edges) {
    if (source === target) continue;
    put(up, target, source);
    put(down, source, target);
  }
  return { up, down };
}

function put(map: Map<string, Set<string>>, key: string, value: string): void {
  const found = map.get(key);
  if (found) found.add(value);
  else map.set(key, new Set([value]));
}

function raise(map: Map<string, number>, key: string, value: number): void {
  map.set(key, Math.max(map.get(key) ?? 0, value));
}
