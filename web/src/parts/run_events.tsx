import type { RunEvent, RunPage } from "../api/answers/run";
import { count, plural, time } from "../format";
import { RunState } from "./mark";
import { Empty, NotMeasured } from "./state";
import { Table, type TableColumn } from "./table";

/** The events of a run, those in the archive among them, and whether these are all. */
export function RunEvents({ page }: { page: RunPage }) {
  const { events, events_unread: unread } = page;
  const archived = events.filter((event) => event.archive !== null).length;
  return (
    <>
      {unread.length > 0 && (
        <div className="state state-failed" role="note">
          <p className="state-title">There may be more events of this run than are shown.</p>
          <ul className="plain-list">
            {unread.map((file) => (
              <li key={file.archive}>
                The ledger’s events {count(file.first)} to {count(file.last)} are in the archive file <code>{file.archive}</code>, which {file.why}.
              </li>
            ))}
          </ul>
          <p>Next step: bring the file back from a backup, to where it was. “penstock ledger verify” names what is wrong.</p>
        </div>
      )}
      {events.length === 0 ? (
        <Empty title="No event of this run can be shown." />
      ) : (
        <Table caption="Events of the run" columns={archived > 0 ? ARCHIVED : EVENTS} rows={events} rowKey={(event) => String(event.sequence)} />
      )}
      {archived > 0 && <p className="note">{plural(archived, "event")} {archived === 1 ? "was" : "were"} moved from the ledger’s table to its archive. What is there is still part of the chain.</p>}
      {!page.events_complete && unread.length === 0 && <p className="note">These are the first {count(events.length)} events; the run has told more.</p>}
    </>
  );
}

const EVENTS: TableColumn<RunEvent>[] = [
  { title: "Number", cell: (one) => count(one.sequence) },
  { title: "Event", cell: (one) => (one.event_type ? <RunState state={one.event_type} /> : <NotMeasured>not said</NotMeasured>) },
  { title: "Happened", cell: (one) => time(one.event_time, { seconds: true }) },
  { title: "Recorded", cell: (one) => time(one.recorded_at, { seconds: true }) },
  { title: "Link of the chain", wide: true, cell: (one) => (one.link ? <code title={one.link}>{one.link.slice(0, 24)}…</code> : <NotMeasured>none</NotMeasured>) },
];

const ARCHIVED: TableColumn<RunEvent>[] = [
  ...EVENTS,
  { title: "Kept in", wide: true, cell: (one) => (one.archive ? <code>{one.archive}</code> : "the ledger’s table") },
];
