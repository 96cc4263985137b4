import { useCallback, useEffect, useMemo, useState } from "react";
import { address } from "../api/client";
import type { ColumnEdge, Dataset, DatasetEdge } from "../api/answers/graph";
import { useAnswer } from "../api/use_answer";
import { plural, time } from "../format";
import type { Bundle, Change } from "../graph/bundle";
import { Canvas } from "../graph/canvas";
import type { Actions } from "../graph/dataset_node";
import { Legend } from "../graph/legend";
import { GraphList } from "../graph/list";
import { ColumnPanel, LinePanel } from "../graph/panel";
import { requestOf, STEPS } from "../graph/request";
import { TimeBar } from "../graph/time_bar";
import { useGraph } from "../graph/use_graph";
import type { ColumnRef } from "../graph/ways";
import { Page } from "../parts/page";
import { Empty, Failed, Loading } from "../parts/state";
import { Link, to, useQueryChange, type Place } from "../router";

export function GraphPage({ place }: { place: Place }) {
  const request = useMemo(() => requestOf(place.query), [place.query]);
  const change = useQueryChange();
  const view = useGraph(request);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [line, setLine] = useState<{ bundle: Bundle } | { edge: DatasetEdge } | null>(null);
  useEffect(() => setLine(null), [place.query]);

  const choose = useCallback(
    (column: ColumnRef | null) =>
      change({
        dataset: column?.dataset ?? null,
        column: column?.column ?? null,
        to_dataset: null,
        to_column: null,
        ...(column ? {} : { only: null }),
      }),
    [change],
  );
  const actions = useMemo<Actions>(
    () => ({
      choose,
      expand: (dataset, direction) => {
        const known = new URLSearchParams(window.location.search).getAll(direction);
        change({ [direction]: [...known, dataset] });
      },
      openCard: (dataset) =>
        setOpened((before) => {
          const next = new Set(before);
          if (!next.delete(dataset)) next.add(dataset);
          return next;
        }),
      focus: (dataset) => change({ id: dataset, up: null, down: null }),
    }),
    [choose, change],
  );
  const added = useMemo(() => new Set(view.changes?.datasets_added), [view.changes]);
  const removed = useMemo(() => new Set(view.changes?.datasets_removed), [view.changes]);
  const datasetChange = useCallback((id: string): Change => (added.has(id) ? "added" : removed.has(id) ? "removed" : null), [added, removed]);
  const { since, until, comparing } = request;
  const edgeChange = useCallback(
    (edge: DatasetEdge): Change => {
      if (!comparing) return null;
      const end = until ? Date.parse(until) : Number.POSITIVE_INFINITY;
      if (edge.valid_to && Date.parse(edge.valid_to) <= end) return "removed";
      return since && Date.parse(edge.valid_from) > Date.parse(since) ? "added" : null;
    },
    [comparing, since, until],
  );

  const { graph } = view;
  // A dataset goes by several names; the graph knows it by one.
  const elsewhere = graph !== null && request.id !== null && graph.datasets.size > 0 && !graph.datasets.has(request.id) && !request.onlyWays;
  const named = useAnswer<Dataset>(elsewhere ? address("/dataset", { id: request.id, at: request.at }) : null);
  const known = elsewhere ? named.data?.id : undefined;
  useEffect(() => {
    if (known) change({ id: known }, { replace: true });
  }, [known, change]);

  const focus = request.id ? graph?.datasets.get(request.id) : undefined;
  const title = request.id ? `Graph of ${focus?.label ?? request.id}` : "Whole graph";
  const few = (graph?.datasets.size ?? 0) <= FEW || request.onlyWays;
  const columns = request.columns ?? few;
  const compact = request.id === null || !columns;
  const chosen = useMemo(() => [request.chosen, request.target].filter((one) => one !== null), [request]);

  return (
    <Page
      wide
      title={title}
      kicker={request.id ? <Link href="/graph">Whole graph</Link> : undefined}
      lead={
        request.id === null && graph
          ? `${plural(graph.datasets.size, "dataset")}; choose one to see its columns and their ways.`
          : undefined
      }
      actions={
        request.id && (
          <Link className="button" href={to("/dataset", { id: request.id, at: request.at })}>
            Dataset page
          </Link>
        )
      }
    >
      <div className="tools" role="group" aria-label="What the graph shows">
        {request.id && (
          <label>
            Steps{" "}
            <select value={request.steps} onChange={(event) => change({ steps: event.target.value === "1" ? null : event.target.value })}>
              {STEPS.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          Group by{" "}
          <select value={request.grouping} onChange={(event) => change({ group: event.target.value === "layer" ? null : event.target.value })}>
            <option value="layer">Layer</option>
            <option value="namespace">Namespace</option>
            <option value="none">Nothing</option>
          </select>
        </label>
        {request.id && (
          <>
            <label className="check">
              <input type="checkbox" checked={columns} onChange={(event) => change({ columns: event.target.checked === few ? null : event.target.checked ? "1" : "0" })} /> Columns
            </label>
            <label className="check">
              <input type="checkbox" checked={request.indirect} onChange={(event) => change({ indirect: event.target.checked ? null : "0" })} /> Indirect
              influence
            </label>
          </>
        )}
        {(request.up.length > 0 || request.down.length > 0) && (
          <button type="button" onClick={() => change({ up: null, down: null })}>
            Fold what was expanded
          </button>
        )}
        <span className="tools-state muted" role="status">
          {view.waiting ? "Loading…" : graph ? plural(graph.datasets.size, "dataset") : ""}
          {request.at && !comparing && ` as of ${time(request.at)}`}
        </span>
      </div>
      <TimeBar request={request} change={change} />
      {view.failure ? (
        <Failed failure={view.failure} again={view.again} what="the graph" />
      ) : !graph ? (
        <Loading what="the graph" />
      ) : graph.datasets.size === 0 ? (
        <Empty title="Nothing was known at this instant.">
          <p>Choose a later one, or go back to now.</p>
          <button type="button" onClick={() => change({ at: null, since: null, until: null })}>
            Now
          </button>
        </Empty>
      ) : (
        <>
          <div className={request.chosen || line ? "graph-area with-panel" : "graph-area"}>
            <div className="canvas" role="region" aria-label={`Canvas: ${title}`}>
              <Canvas
                graph={graph}
                bundles={compact ? NO_BUNDLES : view.bundles}
                compact={compact}
                focus={request.id}
                grouping={request.grouping}
                ways={view.ways}
                onlyWays={request.onlyWays}
                chosen={chosen}
                opened={opened}
                datasetChange={datasetChange}
                edgeChange={edgeChange}
                narrowed={Boolean(request.chosen || line)}
                actions={actions}
                selectLine={setLine}
              />
            </div>
            {line ? (
              <LinePanel line={line} graph={graph} close={() => setLine(null)} />
            ) : (
              <ColumnPanel
                request={request}
                graph={graph}
                upstream={view.upstream}
                downstream={view.downstream}
                path={view.path}
                choose={choose}
                setTarget={(target) => change({ to_dataset: target?.dataset ?? null, to_column: target?.column ?? null })}
                setOnly={(value) => change({ only: value ? "1" : null })}
              />
            )}
          </div>
          <Legend graph={graph} grouping={request.grouping} comparing={comparing} />
          {comparing && view.changes && <ChangesLine added={view.changes.added} removed={view.changes.removed} since={since} until={until} />}
          <GraphList graph={graph} bundles={view.bundles} datasetChange={datasetChange} comparing={comparing} />
        </>
      )}
    </Page>
  );
}

const NO_BUNDLES: Bundle[] = [];
/** Up to so many datasets, their columns are shown unless asked otherwise. */
const FEW = 40;

function ChangesLine({ added, removed, since, until }: { added: ColumnEdge[]; removed: ColumnEdge[]; since: string | null; until: string | null }) {
  return (
    <p className="changes-line" role="status">
      From {time(since)} to {until ? time(until) : "now"}, in everything recorded: <span className="change change-added">+ {plural(added.length, "column step")} added</span>{" "}
      <span className="change change-removed">− {plural(removed.length, "column step")} removed</span>
    </p>
  );
}
