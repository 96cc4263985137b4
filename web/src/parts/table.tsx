import { useState, type ReactNode } from "react";
import { plural } from "../format";

export interface TableColumn<Row> {
  title: string;
  cell: (row: Row) => ReactNode;
  numeric?: boolean;
  wide?: boolean;
  /** A share of the width; with it, tables of the same columns stand in line. */
  width?: string;
}

interface TableProps<Row> {
  caption: string;
  columns: readonly TableColumn<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row, index: number) => string;
  rowClass?: (row: Row) => string | undefined;
  /** Rows shown at first; more on request. */
  shown?: number;
}

/** A table that scrolls sideways within itself and shows long lists piece by piece. */
export function Table<Row>({ caption, columns, rows, rowKey, rowClass, shown = 100 }: TableProps<Row>) {
  const [limit, setLimit] = useState(shown);
  const visible = rows.slice(0, limit);
  return (
    <div className="table-block">
      <div className="table-scroll" role="region" aria-label={caption} tabIndex={0}>
        <table className={columns.some((column) => column.width) ? "fixed" : undefined}>
          <caption className="unseen">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.title} scope="col" style={{ width: column.width }} className={column.numeric ? "numeric" : undefined}>
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {visible.map((row, index) => (
              <tr key={rowKey(row, index)} className={rowClass?.(row)}>
                {columns.map((column, position) => {
                  const kind = [column.numeric ? "numeric" : "", column.wide ? "wide" : ""].join(" ").trim();
                  return position === 0 ? (
                    <th key={column.title} scope="row" className={kind || undefined}>
                      {column.cell(row)}
                    </th>
                  ) : (
                    <td key={column.title} className={kind || undefined}>
                      {column.cell(row)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > limit && (
        <p className="table-more">
          <button type="button" onClick={() => setLimit(limit + Math.max(shown, 200))}>
            Show more
          </button>{" "}
          <span className="muted">
            {limit} of {plural(rows.length, "row")}
          </span>
        </p>
      )}
    </div>
  );
}
