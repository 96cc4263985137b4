import ELK from "elkjs/lib/elk.bundled.js";
import { describe, expect, it } from "vitest";
import recorded from "../fixtures/lineage.json";
import { layoutInput, placedOf, quickLayout, type Box, type ElkShape } from "../src/graph/layout_input";

const box = (id: string, group = "g"): Box => ({ id, width: 200, height: 60, group });

describe("what the layout engine is asked", () => {
  it("has one line between two boxes, and none from a box to itself or to nowhere", () => {
    const asked = layoutInput(
      [box("a"), box("b")],
      [
        { source: "a", target: "b" },
        { source: "a", target: "b" },
        { source: "a", target: "a" },
        { source: "a", target: "gone" },
      ],
      false,
    );
    expect(asked.edges).toHaveLength(1);
    expect(asked.children?.map((child) => child.id)).toEqual(["a", "b"]);
  });

  it("is answered with boxes within their groups, whatever the groups are called", async () => {
    const boxes = [box("a", "bronze"), box("b", "silver"), box("c", "silver"), box("d", "\"><script>"), box("e", "bronze")];
    const lines = [
      { source: "a", target: "b" },
      { source: "b", target: "c" },
      { source: "c", target: "d" },
      { source: "a", target: "d" },
      { source: "e", target: "c" },
      { source: "d", target: "a" },
    ];
    const engine = new ELK() as unknown as { layout(graph: ElkShape): Promise<ElkShape> };
    const placed = placedOf(await engine.layout(layoutInput(boxes, lines, true)));
    expect(placed.boxes.size).toBe(5);
    expect(placed.groups.map((group) => group.name).sort()).toEqual(["\"><script>", "bronze", "silver"]);
    for (const one of boxes) {
      const at = placed.boxes.get(one.id);
      const group = placed.groups.find((candidate) => candidate.name === one.group);
      if (!at || !group) throw new Error(`${one.id} has no place`);
      expect(at.x).toBeGreaterThanOrEqual(group.x);
      expect(at.y).toBeGreaterThanOrEqual(group.y);
      expect(at.x + one.width).toBeLessThanOrEqual(group.x + group.width);
      expect(at.y + one.height).toBeLessThanOrEqual(group.y + group.height);
    }
  });
});

describe("the reference deployment", () => {
  it("is laid out by the engine, each layer in its box", async () => {
    const boxes = recorded.datasets.map((one) => ({ id: one.id, width: 204, height: 58, group: one.group }));
    const engine = new ELK() as unknown as { layout(graph: ElkShape): Promise<ElkShape> };
    const placed = placedOf(await engine.layout(layoutInput(boxes, recorded.edges, true)));
    expect(placed.boxes.size).toBe(recorded.datasets.length);
    const left = (name: string) => placed.groups.find((group) => group.name === name)?.x ?? Number.NaN;
    expect(left("landing")).toBeLessThan(left("bronze"));
    expect(left("bronze")).toBeLessThan(left("silver"));
    expect(left("silver")).toBeLessThan(left("shared"));
  });
});

describe("the quick layout", () => {
  it("puts each box right of what it is made of, and none on another", () => {
    const boxes = Array.from({ length: 600 }, (_, index) => box(String(index)));
    const lines = boxes.flatMap((_, index) => (index < 100 ? [] : [{ source: String((index * 7) % 100), target: String(index) }]));
    const placed = quickLayout(boxes, lines);
    for (const line of lines)
      expect(placed.boxes.get(line.source)?.x).toBeLessThan(placed.boxes.get(line.target)?.x ?? Number.NaN);
    const spots = new Set([...placed.boxes.values()].map((at) => `${at.x} ${at.y}`));
    expect(spots.size).toBe(600);
  });

  it("ends where datasets feed each other", () => {
    const placed = quickLayout(
      [box("a"), box("b"), box("c")],
      [
        { source: "a", target: "b" },
        { source: "b", target: "a" },
        { source: "b", target: "c" },
      ],
    );
    expect(placed.boxes.size).toBe(3);
  });

  it("does not grow into a tower or a thread", () => {
    const boxes = Array.from({ length: 3000 }, (_, index) => box(String(index)));
    const placed = [...quickLayout(boxes, []).boxes.values()];
    const extent = (axis: "x" | "y") => Math.max(...placed.map((at) => at[axis])) - Math.min(...placed.map((at) => at[axis]));
    expect(extent("x") / extent("y")).toBeGreaterThan(0.7);
    expect(extent("x") / extent("y")).toBeLessThan(5);
  });
});
