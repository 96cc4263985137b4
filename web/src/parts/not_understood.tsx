import { useState } from "react";
import { address } from "../api/client";
import type { NotUnderstood as Answer } from "../api/answers/overview";
import { useAnswer } from "../api/use_answer";
import { count, plural, time } from "../format";
import { Failed, Loading } from "./state";
import { Table, type TableColumn } from "./table";

const LIMIT = 200;

/** A warning where the ledger holds events that the graph says nothing of. */
export function NotUnderstood({ total }: { total: number }) {
  const [open, setOpen] = useState(false);
  if (total === 0) return null;
  return (
    <details className="state state-warning" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className="state-title">{plural(total, "event")} could not be understood</span>{" "}
        <span>{total === 1 ? "It is" : "They are"} kept in the ledger, and what {total === 1 ? "it says" : "they say"} is missing here.</span>
      </summary>
      {open && <List />}
    </details>
  );
}

function List() {
  const answer = useAnswer<Answer>(address("/events_not_understood", { limit: LIMIT }));
  if (answer.failure) return <Failed failure={answer.failure} again={answer.again} what="the events" />;
  if (!answer.data) return <Loading what="the events" />;
  return (
    <>
      <p>
        A newer Penstock may understand them: after an upgrade <code>penstock ledger rebuild</code> tries again. If it does not, report the kind of error.
      </p>
      <Table caption="Events that could not be understood" columns={COLUMNS} rows={answer.data.events} rowKey={(one) => String(one.sequence)} shown={25} />
      {answer.data.total > answer.data.events.length && (
        <p className="note">The newest {count(answer.data.events.length)} are shown.</p>
      )}
    </>
  );
}

const COLUMNS: TableColumn<Answer["events"][number]>[] = [
  { title: "Namespace", cell: (one) => <span className="name">{one.namespace}</span> },
  { title: "Sequence", numeric: true, cell: (one) => one.sequence },
  { title: "Recorded", cell: (one) => time(one.at) },
  { title: "Kind of error", cell: (one) => <code>{one.reason}</code> },
];
