import ELK from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import { useEffect, useMemo, useState } from "react";
import { layoutInput, placedOf, quickLayout, type Box, type ElkShape, type Line, type Placed } from "./layout_input";

const QUICK_ABOVE = 250;

interface Engine {
  layout(graph: ElkShape): Promise<ElkShape>;
}
let engine: Engine | null = null;

async function layout(boxes: readonly Box[], lines: readonly Line[], grouped: boolean): Promise<Placed> {
  if (boxes.length > QUICK_ABOVE) return quickLayout(boxes, lines);
  try {
    engine ??= new ELK({ workerUrl }) as unknown as Engine;
    return placedOf(await engine.layout(layoutInput(boxes, lines, grouped)));
  } catch {
    return quickLayout(boxes, lines);
  }
}

/** Where the boxes stand. Worked out beside the page, so that it stays usable meanwhile. */
export function useLayout(boxes: readonly Box[], lines: readonly Line[], grouped: boolean): Placed | null {
  const [placed, setPlaced] = useState<Placed | null>(null);
  const shape = useMemo(
    () => JSON.stringify([boxes.map((box) => [box.id, box.width, box.height, grouped ? box.group : ""]), lines.map((line) => [line.source, line.target]), grouped]),
    [boxes, lines, grouped],
  );
  useEffect(() => {
    let current = true;
    layout(boxes, lines, grouped).then((answer) => {
      if (current) setPlaced(answer);
    });
    return () => {
      current = false;
    };
    // The shape says all that the layout depends on.
  }, [shape]);
  return placed;
}
