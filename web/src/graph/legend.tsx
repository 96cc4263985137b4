import { byGroup, groupColour, groupOf, type Grouping } from "./group";
import { MaskBadge } from "./lines";
import type { Merged } from "./merge";

export function Legend({ graph, grouping, comparing }: { graph: Merged; grouping: Grouping; comparing: boolean }) {
  const all = [...graph.datasets.values()];
  const groups =
    grouping === "namespace" ? [...new Set(all.map((one) => groupOf(one, grouping)))].sort() : [...byGroup(all).keys()];
  return (
    <div className="legend" role="group" aria-label="Legend">
      <ul>
        <li>
          <Sample className="line line-job" /> job
        </li>
        <li>
          <Sample className="line line-column" /> makes the value
        </li>
        <li>
          <Sample className="line line-column line-indirect" /> only decides (filter, join, group)
        </li>
        <li>
          <svg width="68" height="18" aria-hidden="true">
            <MaskBadge x={34} y={9} />
          </svg>
          masked on the way (token, cut, count)
        </li>
        <li>
          <span className="row-pii">email</span> personal data in clear
        </li>
        <li>
          <span className="row-pii row-pii-masked">email</span> personal data, masked
        </li>
        {comparing && (
          <>
            <li>
              <span className="change change-added">+ added</span>
            </li>
            <li>
              <span className="change change-removed">− removed</span>
            </li>
          </>
        )}
      </ul>
      <ul aria-label={grouping === "namespace" ? "Namespaces" : "Layers"}>
        {groups.slice(0, 12).map((name) => (
          <li key={name}>
            <span className="swatch" style={{ background: groupColour(name) }} aria-hidden="true" /> {name}
          </li>
        ))}
        {groups.length > 12 && <li className="muted">and {groups.length - 12} more</li>}
      </ul>
    </div>
  );
}

function Sample({ className }: { className: string }) {
  return (
    <svg width="34" height="10" aria-hidden="true">
      <g className={className}>
        <path className="react-flow__edge-path" d="M1 5h32" />
      </g>
    </svg>
  );
}
