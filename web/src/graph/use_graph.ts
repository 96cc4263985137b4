import { useMemo } from "react";
import { address, type Failure } from "../api/client";
import type { Changes, ColumnEdge, Graph, Impact } from "../api/answers/graph";
import { useAnswer, useAnswers } from "../api/use_answer";
import { bundles, type Bundle } from "./bundle";
import { withNamedColumns } from "./card";
import { columnEdgeKey, merge, only, type Merged } from "./merge";
import type { Request } from "./request";
import { inOrder, waysAlong, waysOf, type Ways } from "./ways";

export interface GraphView {
  graph: Merged | null;
  bundles: Bundle[];
  ways: Ways | null;
  upstream: Impact | null;
  downstream: Impact | null;
  changes: Changes | null;
  path: ColumnEdge[] | null;
  failure: Failure | null;
  waiting: boolean;
  again: () => void;
}

/** The server looks no further at once. */
const MOST_STEPS = 50;
const NO_EDGES: ColumnEdge[] = [];

/** Asks all that the page's address names, and puts the answers together. */
export function useGraph(request: Request): GraphView {
  const { id, chosen, target, indirect, comparing } = request;
  const instants = comparing ? [request.since, request.until] : [request.at];
  const at = instants.at(-1);

  const impact = (direction: string) =>
    chosen ? address("/impact", { id: chosen.dataset, column: chosen.column, direction, indirect: indirect ? null : false, at }) : null;
  const downstream = useAnswer<Impact>(impact("downstream"));
  const upstream = useAnswer<Impact>(impact("upstream"));

  const isUp = upstream.data?.columns.some((one) => one.dataset === target?.dataset && one.column === target.column);
  const [from, into] = isUp ? [target, chosen] : [chosen, target];
  const found = useAnswer<{ edges: ColumnEdge[] }>(
    from && into
      ? address("/path", { source: from.dataset, source_column: from.column, target: into.dataset, target_column: into.column, at })
      : null,
  );
  const path = useMemo(() => {
    if (!target || !found.data) return null;
    const edges = indirect ? found.data.edges : found.data.edges.filter((edge) => edge.type !== "INDIRECT");
    return from ? inOrder(edges, from) : edges;
  }, [target, found.data, indirect, from]);

  const urls = instants.flatMap((instant) => {
    const ask = (dataset: string | null, up: number, down: number) => address("/graph", dataset === null ? { at: instant } : { id: dataset, up, down, at: instant });
    if (id === null) return [ask(null, 0, 0)];
    const wanted = [ask(id, request.steps, request.steps)];
    for (const one of request.up) wanted.push(ask(one, 1, 0));
    for (const one of request.down) wanted.push(ask(one, 0, 1));
    if (target && path) for (const one of new Set(path.flatMap((edge) => [edge.source, edge.target]))) wanted.push(ask(one, 0, 0));
    if (chosen && !target) {
      const deep = (answer: Impact | null) => Math.min(MOST_STEPS, Math.max(0, ...(answer?.datasets.map((one) => one.depth) ?? [])));
      wanted.push(request.onlyWays ? ask(chosen.dataset, deep(upstream.data), deep(downstream.data)) : ask(chosen.dataset, 0, 0));
    }
    return wanted;
  });
  const answers = useAnswers<Graph>([...new Set(urls)]);
  const changed = useAnswer<Changes>(comparing ? address("/changes", { since: request.since, until: request.until }) : null);

  const merged = useMemo(() => (answers.data ? merge(answers.data, path ?? NO_EDGES) : null), [answers.data, path]);
  const ways = useMemo(() => {
    if (!merged || !chosen) return null;
    if (target) return path ? waysAlong(path, [chosen, target]) : null;
    return waysOf(chosen, merged.columnEdges, merged.datasets, { indirect });
  }, [merged, chosen?.dataset, chosen?.column, target?.dataset, target?.column, path, indirect]);

  const graph = useMemo(() => {
    if (!merged) return null;
    const edges = indirect ? merged.columnEdges : merged.columnEdges.filter((edge) => edge.type !== "INDIRECT");
    const named = { ...merged, columnEdges: edges, datasets: withNamedColumns(merged.datasets, edges) };
    return request.onlyWays && ways ? only(named, ways.datasets) : named;
  }, [merged, ways, indirect, request.onlyWays]);

  const drawn = useMemo(() => {
    if (!graph) return [];
    const keys = (edges: ColumnEdge[] | undefined) => new Set(edges?.map(columnEdgeKey));
    const all = bundles(graph.columnEdges, keys(changed.data?.added), keys(changed.data?.removed));
    if (!request.onlyWays || !ways) return all;
    return all.filter((bundle) => bundle.edges.some((edge) => ways.edges.has(columnEdgeKey(edge))));
  }, [graph, changed.data, request.onlyWays, ways]);

  const parts = [answers, downstream, upstream, found, changed];
  return {
    graph,
    bundles: drawn,
    ways,
    upstream: upstream.data,
    downstream: downstream.data,
    changes: changed.data,
    path,
    failure: parts.find((part) => part.failure)?.failure ?? null,
    waiting: parts.some((part) => part.waiting),
    again: () => {
      for (const part of parts) part.again();
    },
  };
}
