import {
  Background,
  ControlButton,
  Controls,
  getViewportForBounds,
  MarkerType,
  MiniMap,
  Panel,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge as Line,
  type Node,
} from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, type FocusEvent } from "react";
import type { DatasetEdge } from "../api/answers/graph";
import { plural } from "../format";
import type { Bundle, Change } from "./bundle";
import { JOB_Y, ROWS_Y, cardOf, columnY, type Card } from "./card";
import { ActionsContext, DatasetNode, GroupNode, type Actions, type CardData } from "./dataset_node";
import { groupColour, groupOf, type Grouping } from "./group";
import { ColumnLine, JobLine } from "./lines";
import { columnEdgeKey, columnKey, edgeKey, jobName, type Merged } from "./merge";
import type { Placed } from "./layout_input";
import { useLayout } from "./use_layout";
import type { ColumnRef, Ways } from "./ways";

export interface Drawn {
  graph: Merged;
  bundles: Bundle[];
  compact: boolean;
  focus: string | null;
  grouping: Grouping;
  ways: Ways | null;
  /** Cards show the columns of the ways and no others. */
  onlyWays: boolean;
  chosen: readonly ColumnRef[];
  opened: ReadonlySet<string>;
  datasetChange: (id: string) => Change;
  edgeChange: (edge: DatasetEdge) => Change;
  /** Whether something stands beside the canvas and takes of its width. */
  narrowed: boolean;
}

interface CanvasProps extends Drawn {
  actions: Actions;
  selectLine: (line: { bundle: Bundle } | { edge: DatasetEdge } | null) => void;
}

const NODE_TYPES = { dataset: DatasetNode, group_box: GroupNode };
const LINE_TYPES = { job: JobLine, column: ColumnLine };
const MAP_ABOVE = 25;
const NONE: ReadonlySet<string> = new Set();
/** Below this zoom nobody reads a column's name. */
const LEGIBLE = 0.45;
const TINY = 0.3;
const NEAR = 0.75;
/** With more datasets than this, not all are drawn at once: one sees a part and the overview. */
const MANY = 400;
/** Room for the +N marks above a card. */
const MARGIN = 14;

const mapColour = (node: Node) => (node.type === "group_box" ? "transparent" : "var(--line-strong)");
const reduced = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export function Canvas(props: CanvasProps) {
  return (
    <ActionsContext.Provider value={props.actions}>
      <ReactFlowProvider>
        <Flow {...props} />
      </ReactFlowProvider>
    </ActionsContext.Provider>
  );
}

// Names may be anything; on the canvas datasets go by a number.
function useNumbers(ids: Iterable<string>) {
  const numbers = useRef(new Map<string, string>());
  for (const id of ids) if (!numbers.current.has(id)) numbers.current.set(id, `d${numbers.current.size}`);
  return numbers.current;
}

function Flow(props: CanvasProps) {
  const { graph, bundles, compact, focus, grouping, ways, onlyWays, chosen, opened, datasetChange, edgeChange, narrowed, selectLine } = props;
  const numbers = useNumbers(graph.datasets.keys());
  const flow = useReactFlow();

  const joined = useMemo(() => {
    const found = new Map<string, Set<string>>();
    const put = (id: string, column: string | null) => {
      if (column === null) return;
      const known = found.get(id);
      if (known) known.add(column);
      else found.set(id, new Set([column]));
    };
    for (const bundle of bundles) {
      put(bundle.source, bundle.sourceColumn);
      put(bundle.target, bundle.targetColumn);
    }
    return found;
  }, [bundles]);

  const cards = useMemo(() => {
    const found = new Map<string, Card>();
    for (const [id, dataset] of graph.datasets) {
      const strong = new Set(
        ways ? dataset.columns.map((column) => column.name).filter((name) => ways.columns.has(columnKey(id, name))) : [],
      );
      const used = strong.size > 24 ? NONE : strong;
      found.set(id, cardOf(dataset, { open: opened.has(id), compact, onlyStrong: onlyWays && ways !== null, strong: onlyWays ? strong : used, joined: joined.get(id) ?? NONE }));
    }
    return found;
  }, [graph.datasets, joined, opened, compact, onlyWays, ways]);

  const boxes = useMemo(
    () =>
      [...cards].map(([id, card]) => ({
        id: numbers.get(id) as string,
        width: card.width,
        height: card.height,
        group: groupOf(card.dataset, grouping),
      })),
    [cards, numbers, grouping],
  );
  const lines = useMemo(
    () => graph.edges.map((edge) => ({ source: numbers.get(edge.source) as string, target: numbers.get(edge.target) as string })),
    [graph.edges, numbers],
  );
  const placed = useLayout(boxes, lines, grouping !== "none");

  const nodes = useMemo(() => {
    if (!placed) return [];
    const chosenKeys = new Set(chosen.map((one) => columnKey(one.dataset, one.column)));
    const made: Node[] = placed.groups.map((group) => ({
      id: `group:${group.name}`,
      type: "group_box",
      position: { x: group.x, y: group.y },
      width: group.width,
      height: group.height,
      data: { name: group.name, colour: groupColour(group.name) },
      selectable: false,
      focusable: false,
      draggable: false,
      zIndex: -1,
    }));
    for (const [id, card] of cards) {
      const number = numbers.get(id) as string;
      const position = placed.boxes.get(number);
      if (!position) continue;
      const names = [...(joined.get(id) ?? NONE)];
      const data: CardData = {
        card,
        group: groupOf(card.dataset, grouping === "none" ? "layer" : grouping),
        focused: id === focus,
        compact,
        opened: opened.has(id),
        faded: ways !== null && !ways.datasets.has(id),
        change: datasetChange(id),
        strong: ways?.columns ?? null,
        chosen: chosenKeys,
        handles: names,
      };
      made.push({
        id: number,
        type: "dataset",
        position,
        width: card.width,
        height: card.height,
        zIndex: 5,
        data,
        draggable: false,
        ariaLabel: `Dataset ${card.dataset.label}`,
        handles: handlesOf(card, names),
      });
    }
    return made;
  }, [placed, cards, numbers, joined, grouping, focus, compact, opened, ways, chosen, datasetChange]);

  const drawnLines = useMemo(() => {
    const made: Line[] = [];
    for (const edge of graph.edges) {
      const faded = ways !== null && !(ways.datasets.has(edge.source) && ways.datasets.has(edge.target));
      const job = graph.jobs.get(edge.job);
      made.push({
        id: `j${edgeKey(edge)}`,
        type: "job",
        source: numbers.get(edge.source) as string,
        target: numbers.get(edge.target) as string,
        sourceHandle: "out:job",
        targetHandle: "in:job",
        data: { job: jobName(graph, edge.job), kind: job?.kind ?? null, faded, change: edgeChange(edge) },
        focusable: false,
        zIndex: 2,
        markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: "var(--line-job)" },
      });
    }
    const shows = (id: string, column: string | null) => cards.get(id)?.columns.some((one) => one.name === column) ?? false;
    const folded = new Set<string>();
    for (const bundle of bundles) {
      if (bundle.source === bundle.target) continue;
      const strong = ways !== null && bundle.edges.some((edge) => ways.edges.has(columnEdgeKey(edge)));
      if (ways !== null && !strong && !shows(bundle.source, bundle.sourceColumn) && !shows(bundle.target, bundle.targetColumn)) {
        // Faint lines from foot to foot would add up to a strong one.
        const pair = `${bundle.source}\n${bundle.target}`;
        if (folded.has(pair)) continue;
        folded.add(pair);
      }
      made.push({
        id: `c${bundle.edges.map(columnEdgeKey).join("|")}`,
        type: "column",
        source: numbers.get(bundle.source) as string,
        target: numbers.get(bundle.target) as string,
        sourceHandle: `out:c:${bundle.sourceColumn}`,
        targetHandle: bundle.targetColumn === null ? "in:rows" : `in:c:${bundle.targetColumn}`,
        data: { bundle, strong, faded: ways !== null && !strong, marked: shows(bundle.target, bundle.targetColumn) },
        focusable: false,
        zIndex: strong ? 3 : 1,
      });
    }
    return made;
  }, [graph.edges, graph.jobs, bundles, numbers, ways, edgeChange, cards]);

  const area = useRef<HTMLDivElement>(null);
  const showAll = useCallback(
    (duration: number) => {
      const room = area.current?.getBoundingClientRect();
      if (!placed || !room || placed.boxes.size === 0) return;
      const bounds = boundsOf(placed, cards, numbers);
      const spot = focus ? placed.boxes.get(numbers.get(focus) ?? "") : undefined;
      const all = getViewportForBounds(bounds, room.width, room.height, graph.datasets.size > MANY ? 0.2 : 0.03, 1, 0.04);
      const first = duration === 0;
      if (!spot && first && all.zoom < TINY)
        flow.setViewport({ zoom: LEGIBLE, x: 16 - bounds.x * LEGIBLE, y: room.height / 2 - (bounds.y + bounds.height / 2) * LEGIBLE });
      else if (spot && first && all.zoom < LEGIBLE)
        flow.setCenter(spot.x + (cards.get(focus ?? "")?.width ?? 0) / 2, spot.y + 170, { zoom: NEAR, duration });
      else flow.setViewport(all, { duration });
    },
    [placed, cards, numbers, focus, flow, graph.datasets.size],
  );

  // When other boxes stand there, all of them come into view; or, were they too small, the middle one.
  const shown = placed ? [...placed.boxes.keys()].join(" ") : "";
  useEffect(() => {
    const frame = requestAnimationFrame(() => showAll(0));
    return () => cancelAnimationFrame(frame);
  }, [shown, focus, narrowed]);

  // The browser would scroll the canvas to what gets the focus; the canvas goes there itself instead.
  const follow = (event: FocusEvent) => {
    const room = area.current;
    if (!room || !event.target.matches(":focus-visible")) return;
    for (const part of [room, ...room.querySelectorAll(".react-flow__renderer, .react-flow__pane, .react-flow__viewport")])
      part.scrollTo(0, 0);
    const frame = room.getBoundingClientRect();
    const spot = event.target.getBoundingClientRect();
    const inside = spot.left >= frame.left && spot.right <= frame.right && spot.top >= frame.top && spot.bottom <= frame.bottom;
    if (inside) return;
    const { x, y } = flow.screenToFlowPosition({ x: spot.left + spot.width / 2, y: spot.top + spot.height / 2 });
    flow.setCenter(x, y, { zoom: flow.getZoom(), duration: 0 });
  };

  return (
    <ReactFlow
      ref={area}
      className={graph.datasets.size > MANY ? "many" : ""}
      onFocusCapture={follow}
      nodes={nodes}
      edges={drawnLines}
      nodeTypes={NODE_TYPES}
      edgeTypes={LINE_TYPES}
      onlyRenderVisibleElements
      minZoom={graph.datasets.size > MANY ? 0.2 : 0.03}
      maxZoom={1.6}
      nodesConnectable={false}
      nodesDraggable={false}
      elementsSelectable
      nodesFocusable={false}
      edgesFocusable={false}
      deleteKeyCode={null}
      selectionKeyCode={null}
      multiSelectionKeyCode={null}
      zoomOnDoubleClick={false}
      zoomOnScroll={false}
      panOnScroll={false}
      preventScrolling={false}
      proOptions={{ hideAttribution: true }}
      onEdgeClick={(_, line) => {
        if (line.type === "column") selectLine({ bundle: line.data?.bundle as Bundle });
        else {
          const edge = graph.edges.find((one) => `j${edgeKey(one)}` === line.id);
          if (edge) selectLine({ edge });
        }
      }}
      onPaneClick={() => selectLine(null)}
      ariaLabelConfig={{ "controls.zoomIn.ariaLabel": "Zoom in", "controls.zoomOut.ariaLabel": "Zoom out" }}
    >
      <Background gap={22} size={1} />
      <Controls showInteractive={false} showFitView={false}>
        <ControlButton aria-label="Show all" title="Show all" onClick={() => showAll(reduced() ? 1 : 250)}>
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d="M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8" fill="none" stroke="currentColor" strokeWidth="1.4" />
          </svg>
        </ControlButton>
      </Controls>
      {graph.datasets.size > MAP_ABOVE && <MiniMap pannable zoomable ariaLabel="Overview of the graph" nodeColor={mapColour} />}
      {!placed && (
        <Panel position="top-center" className="layout-note">
          <span role="status">Laying out {plural(graph.datasets.size, "dataset")}…</span>
        </Panel>
      )}
    </ReactFlow>
  );
}

function boundsOf(placed: Placed, cards: ReadonlyMap<string, Card>, numbers: ReadonlyMap<string, string>) {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const take = (x: number, y: number, width: number, height: number) => {
    bounds.left = Math.min(bounds.left, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.right = Math.max(bounds.right, x + width);
    bounds.bottom = Math.max(bounds.bottom, y + height);
  };
  for (const group of placed.groups) take(group.x, group.y, group.width, group.height);
  for (const [id, card] of cards) {
    const at = placed.boxes.get(numbers.get(id) ?? "");
    if (at) take(at.x, at.y - MARGIN, card.width, card.height + MARGIN);
  }
  return { x: bounds.left, y: bounds.top, width: bounds.right - bounds.left, height: bounds.bottom - bounds.top };
}

// With known handles a line is drawn before the cards at its ends have been looked at.
function handlesOf(card: Card, names: readonly string[]): NonNullable<Node["handles"]> {
  const at = (id: string, side: "in" | "out", y: number) => ({
    id: `${side}:${id}`,
    type: side === "in" ? ("target" as const) : ("source" as const),
    position: side === "in" ? Position.Left : Position.Right,
    x: side === "in" ? 0 : card.width,
    y,
    width: 1,
    height: 1,
  });
  return [
    at("job", "in", JOB_Y),
    at("rows", "in", ROWS_Y),
    at("job", "out", JOB_Y),
    ...names.flatMap((name) => {
      const y = columnY(card, name);
      return [at(`c:${name}`, "in", y), at(`c:${name}`, "out", y)];
    }),
  ];
}
