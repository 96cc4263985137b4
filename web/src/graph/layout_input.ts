export interface Box {
  id: string;
  width: number;
  height: number;
  group: string;
}

export interface Line {
  source: string;
  target: string;
}

export interface Placed {
  boxes: Map<string, { x: number; y: number }>;
  groups: { name: string; x: number; y: number; width: number; height: number }[];
}

export interface ElkShape {
  id: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  children?: ElkShape[];
  edges?: { id: string; sources: string[]; targets: string[] }[];
  layoutOptions?: Record<string, string>;
}

const OPTIONS: Record<string, string> = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.layered.spacing.nodeNodeBetweenLayers": "96",
  "elk.spacing.nodeNode": "36",
  "elk.spacing.componentComponent": "60",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};
// The engine fails when it is asked for this across the borders of groups.
const IN_ORDER = { "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES" };
const GROUP_PADDING = "[top=38,left=14,bottom=16,right=14]";

/**
 * What the layout engine is asked: boxes, and one line between two boxes however many there are.
 * With groups, the boxes of a group stand together in a box of their own.
 */
export function layoutInput(boxes: readonly Box[], lines: readonly Line[], grouped: boolean): ElkShape {
  const known = new Set(boxes.map((box) => box.id));
  const pairs = new Map<string, Line>();
  for (const line of lines)
    if (line.source !== line.target && known.has(line.source) && known.has(line.target))
      pairs.set(JSON.stringify([line.source, line.target]), line);
  const edges = [...pairs.values()].map((line, index) => ({
    id: `e${index}`,
    sources: [line.source],
    targets: [line.target],
  }));
  const shape = ({ id, width, height }: Box): ElkShape => ({ id, width, height });
  if (!grouped) return { id: "root", layoutOptions: { ...OPTIONS, ...IN_ORDER }, children: boxes.map(shape), edges };
  const groups = new Map<string, Box[]>();
  for (const box of boxes) groups.set(box.group, [...(groups.get(box.group) ?? []), box]);
  return {
    id: "root",
    layoutOptions: { ...OPTIONS, "elk.hierarchyHandling": "INCLUDE_CHILDREN" },
    children: [...groups].map(([name, members]) => ({
      id: `group:${name}`,
      layoutOptions: { ...OPTIONS, "elk.padding": GROUP_PADDING },
      children: members.map(shape),
    })),
    edges,
  };
}

/** Where everything stands, in one system of coordinates. */
export function placedOf(answer: ElkShape): Placed {
  const placed: Placed = { boxes: new Map(), groups: [] };
  for (const child of answer.children ?? []) {
    const x = child.x ?? 0;
    const y = child.y ?? 0;
    if (!child.id.startsWith("group:")) {
      placed.boxes.set(child.id, { x, y });
      continue;
    }
    placed.groups.push({ name: child.id.slice(6), x, y, width: child.width ?? 0, height: child.height ?? 0 });
    for (const inner of child.children ?? []) placed.boxes.set(inner.id, { x: x + (inner.x ?? 0), y: y + (inner.y ?? 0) });
  }
  return placed;
}

const COLUMN_GAP = 110;
const NEXT_GAP = 24;
const ROW_GAP = 20;
/** How much wider than high the whole is wanted. */
const RATIO = 2;

/**
 * A layout for very many boxes, in time that grows with their number: each box right of all that
 * it is made of (cycles are cut), near the mean height of those, in as many columns as keep the
 * whole from becoming a tower.
 */
export function quickLayout(boxes: readonly Box[], lines: readonly Line[]): Placed {
  const known = new Map(boxes.map((box) => [box.id, box]));
  const up = new Map<string, Set<string>>();
  const down = new Map<string, Set<string>>();
  for (const { source, target } of lines) {
    if (source === target || !known.has(source) || !known.has(target)) continue;
    up.set(target, (up.get(target) ?? new Set()).add(source));
    down.set(source, (down.get(source) ?? new Set()).add(target));
  }
  const rank = ranks(boxes, up, down);
  const levels = new Map<number, Box[]>();
  for (const box of boxes) {
    const at = rank.get(box.id) ?? 0;
    const level = levels.get(at);
    if (level) level.push(box);
    else levels.set(at, [box]);
  }
  const area = boxes.reduce((sum, box) => sum + (box.width + NEXT_GAP) * (box.height + ROW_GAP), 0);
  const most = Math.sqrt(area / RATIO);
  const placed: Placed = { boxes: new Map(), groups: [] };
  let x = 0;
  for (const at of [...levels.keys()].sort((a, b) => a - b)) {
    const level = byOrigin(levels.get(at) ?? [], up, placed);
    const height = level.reduce((sum, box) => sum + box.height + ROW_GAP, 0);
    const columns = Math.max(1, Math.round(height / most));
    const tall = height / columns;
    let y = -tall / 2;
    let width = 0;
    for (const box of level) {
      if (y > tall / 2 - ROW_GAP) {
        x += width + NEXT_GAP;
        y = -tall / 2;
        width = 0;
      }
      placed.boxes.set(box.id, { x, y });
      y += box.height + ROW_GAP;
      width = Math.max(width, box.width);
    }
    x += width + COLUMN_GAP;
  }
  return placed;
}

function byOrigin(level: readonly Box[], up: ReadonlyMap<string, ReadonlySet<string>>, placed: Placed): Box[] {
  const wanted = new Map(
    level.map((box, index) => {
      const heights = [...(up.get(box.id) ?? [])].flatMap((id) => placed.boxes.get(id)?.y ?? []);
      return [box.id, heights.length ? heights.reduce((a, b) => a + b, 0) / heights.length : index * 1e-3];
    }),
  );
  return [...level].sort((a, b) => (wanted.get(a.id) ?? 0) - (wanted.get(b.id) ?? 0));
}

function ranks(
  boxes: readonly Box[],
  up: ReadonlyMap<string, ReadonlySet<string>>,
  down: ReadonlyMap<string, ReadonlySet<string>>,
): Map<string, number> {
  const rank = new Map(boxes.map((box) => [box.id, 0]));
  const open = new Map(boxes.map((box) => [box.id, up.get(box.id)?.size ?? 0]));
  const settled = new Set<string>();
  let front = boxes.filter((box) => open.get(box.id) === 0).map((box) => box.id);
  let rest = boxes.map((box) => box.id);
  while (settled.size < boxes.length) {
    if (front.length === 0) {
      // Only cycles are left: cut one.
      rest = rest.filter((id) => !settled.has(id));
      front = rest.slice(0, 1);
    }
    const next: string[] = [];
    for (const id of front) {
      if (settled.has(id)) continue;
      settled.add(id);
      for (const below of down.get(id) ?? []) {
        if (settled.has(below)) continue;
        rank.set(below, Math.max(rank.get(below) ?? 0, (rank.get(id) ?? 0) + 1));
        const left = (open.get(below) ?? 0) - 1;
        open.set(below, left);
        if (left === 0) next.push(below);
      }
    }
    front = next;
  }
  return rank;
}
