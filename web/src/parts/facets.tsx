import { Empty } from "./state";

/** All facets by name, each one collapsible JSON; those without a meaning here too. */
export function Facets({ facets }: { facets: Record<string, unknown> }) {
  const names = Object.keys(facets).sort();
  if (names.length === 0) return <Empty title="No facets were recorded." />;
  return (
    <ul className="facets">
      {names.map((name) => (
        <li key={name}>
          <details>
            <summary>{name}</summary>
            <pre tabIndex={0}>{JSON.stringify(facets[name], null, 2)}</pre>
          </details>
        </li>
      ))}
    </ul>
  );
}
