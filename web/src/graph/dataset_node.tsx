import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { createContext, memo, useContext } from "react";
import type { Column } from "../api/answers/graph";
import { cutLabel, plural, words } from "../format";
import { Lock } from "../parts/mark";
import { JOB_Y, ROWS_Y, columnY, type Card } from "./card";
import type { Change } from "./bundle";
import { groupColour } from "./group";
import { columnKey } from "./merge";
import type { ColumnRef } from "./ways";

/** What the canvas can be told to do; the page keeps the state. */
export interface Actions {
  choose: (column: ColumnRef | null) => void;
  expand: (dataset: string, direction: "up" | "down") => void;
  openCard: (dataset: string) => void;
  focus: (dataset: string) => void;
}

export const ActionsContext = createContext<Actions>({
  choose: () => undefined,
  expand: () => undefined,
  openCard: () => undefined,
  focus: () => undefined,
});

export type CardData = {
  card: Card;
  group: string;
  focused: boolean;
  compact: boolean;
  opened: boolean;
  faded: boolean;
  change: Change;
  /** Columns drawn strong, and the chosen ones among them; null when nothing is chosen. */
  strong: ReadonlySet<string> | null;
  chosen: ReadonlySet<string>;
  handles: readonly string[];
};
export type DatasetNodeType = Node<CardData, "dataset">;

function DatasetCard({ data }: NodeProps<DatasetNodeType>) {
  const { card, group, focused, compact, opened, faded, change, strong, chosen } = data;
  const { dataset } = card;
  const actions = useContext(ActionsContext);
  const kinds = ["card", focused && "card-focused", faded && "faded", change && `card-${change}`];
  return (
    <article
      className={kinds.filter(Boolean).join(" ")}
      style={{ width: card.width, height: card.height, ["--group" as string]: groupColour(group) }}
      aria-label={`Dataset ${dataset.label}`}
    >
      <Anchor side="in" name="job" y={JOB_Y} />
      <Anchor side="in" name="rows" y={ROWS_Y} />
      <Anchor side="out" name="job" y={JOB_Y} />
      <header className="card-head">
        <button
          type="button"
          className="card-name nodrag"
          title={`${dataset.label}\n${dataset.namespace} ${dataset.name}`}
          aria-label={focused ? `${dataset.label}, in the middle of the graph` : `Put ${dataset.label} in the middle`}
          onClick={() => actions.focus(dataset.id)}
        >
          {cutLabel(dataset.label, compact ? 22 : 28)}
        </button>
        <p className="card-kind">
          <span>{group}</span>
          {compact && <span>{dataset.columns.length > 0 && plural(dataset.columns.length, "column")}</span>}
          {change && <span className={`change change-${change}`}>{change === "added" ? "+ added" : "− removed"}</span>}
        </p>
      </header>
      {card.columns.length > 0 && (
        <ul className="card-columns">
          {card.columns.map((column) => (
            <ColumnRow
              key={column.name}
              column={column}
              dataset={dataset.id}
              label={dataset.label}
              strong={strong?.has(columnKey(dataset.id, column.name)) ?? false}
              faded={strong !== null && !faded && !strong.has(columnKey(dataset.id, column.name))}
              chosen={chosen.has(columnKey(dataset.id, column.name))}
            />
          ))}
        </ul>
      )}
      {card.collapsible && (
        <button type="button" className="card-foot nodrag" aria-expanded={opened} onClick={() => actions.openCard(dataset.id)}>
          {opened ? "Fewer columns" : `+ ${plural(card.hidden, "more column")}`}
        </button>
      )}
      {dataset.more_upstream > 0 && (
        <button
          type="button"
          className="more more-up nodrag"
          aria-label={`Show ${plural(dataset.more_upstream, "more source")} of ${dataset.label}`}
          onClick={() => actions.expand(dataset.id, "up")}
        >
          ← +{dataset.more_upstream}
        </button>
      )}
      {dataset.more_downstream > 0 && (
        <button
          type="button"
          className="more more-down nodrag"
          aria-label={`Show ${plural(dataset.more_downstream, "more reader")} of ${dataset.label}`}
          onClick={() => actions.expand(dataset.id, "down")}
        >
          +{dataset.more_downstream} →
        </button>
      )}
      {data.handles.map((name) => (
        <span key={name}>
          <Anchor side="in" name={`c:${name}`} y={columnY(card, name)} />
          <Anchor side="out" name={`c:${name}`} y={columnY(card, name)} />
        </span>
      ))}
    </article>
  );
}

interface RowProps {
  column: Column;
  dataset: string;
  label: string;
  strong: boolean;
  faded: boolean;
  chosen: boolean;
}

const ColumnRow = memo(function ColumnRow({ column, dataset, label, strong, faded, chosen }: RowProps) {
  const actions = useContext(ActionsContext);
  const more = [column.unit, column.key && "key", column.pii && column.type].filter(Boolean).join(", ");
  return (
    <li className={[chosen && "row-chosen", strong && "row-strong", faded && "row-faded"].filter(Boolean).join(" ") || undefined}>
      <button
        type="button"
        className="nodrag"
        aria-pressed={chosen}
        title={[column.name, column.type, column.description].filter(Boolean).join("\n")}
        onClick={() => actions.choose(chosen ? null : { dataset, column: column.name })}
      >
        <span className={column.key ? "row-name row-key" : "row-name"}>
          <span className="unseen">Column </span>
          {column.name}
          <span className="unseen">{` of ${label}${more && `, ${more}`}, `}</span>
        </span>
        {column.pii ? (
          <span className={column.masked ? "row-pii row-pii-masked" : "row-pii"}>
            {column.masked && <Lock />}
            <span className="unseen">personal data </span>
            {words(column.pii)}
            <span className="unseen">{column.masked ? ", masked" : ", in clear"}</span>
          </span>
        ) : (
          <span className="row-type">{column.type}</span>
        )}
      </button>
    </li>
  );
});

function Anchor({ side, name, y }: { side: "in" | "out"; name: string; y: number }) {
  return (
    <Handle
      id={`${side}:${name}`}
      type={side === "in" ? "target" : "source"}
      position={side === "in" ? Position.Left : Position.Right}
      isConnectable={false}
      style={{ top: y }}
    />
  );
}

export const DatasetNode = memo(DatasetCard);

export type GroupNodeType = Node<{ name: string; colour: string }, "group_box">;

export const GroupNode = memo(function GroupNode({ data }: NodeProps<GroupNodeType>) {
  return (
    <div className="group-box" style={{ ["--group" as string]: data.colour }}>
      <span>{data.name}</span>
    </div>
  );
});

