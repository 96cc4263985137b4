import { Fragment } from "react";
import { short } from "../format";
import { Link, to } from "../router";
import { sourceLink } from "../format";

export function datasetHref(id: string, column?: string | null): string {
  return to("/dataset", { id, column });
}

export function graphHref(id: string, column?: string | null): string {
  return to("/graph", { id, dataset: column ? id : null, column });
}

export function DatasetLink({ id, label, column }: { id: string; label: string; column?: string | null }) {
  return (
    <Link className="name" href={datasetHref(id, column)}>
      <Name text={label} />
      {column ? (
        <span className="name-column">
          .<Name text={column} />
        </span>
      ) : null}
    </Link>
  );
}

/** A name that breaks behind its dots, slashes and underscores where it has to. */
export function Name({ text }: { text: string }) {
  return text.split(/(?<=[._/])/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

export function RunLink({ id }: { id: string }) {
  return (
    <Link className="name" href={to("/run", { id })} title={id} aria-label={`Run ${id}`}>
      {short(id)}
    </Link>
  );
}

/** The dataset's page in Dagster, where the server knows of one; its key is the label's parts. */
export function dagsterAsset(server: string | null | undefined, label: string): string | null {
  if (!server || label.includes("/")) return null;
  return sourceLink(`${server.replace(/\/$/, "")}/assets/${label.split(".").map(encodeURIComponent).join("/")}`);
}

/** The run's page in Dagster. */
export function dagsterRun(server: string | null | undefined, id: string): string | null {
  return server ? sourceLink(`${server.replace(/\/$/, "")}/runs/${encodeURIComponent(id)}`) : null;
}

/** A link out of these pages, only where its address is http or https; the text alone otherwise. */
export function SourceLink({ url, text }: { url: string | null | undefined; text: string }) {
  const href = sourceLink(url);
  return href ? (
    <a href={href} rel="noreferrer noopener" target="_blank">
      <Name text={text} />
    </a>
  ) : (
    <span>{text}</span>
  );
}
