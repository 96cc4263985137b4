import { Page } from "../parts/page";
import type { Place } from "../router";

export function DatasetView({ place }: { place: Place }) {
  return <Page title={place.path}>.</Page>;
}
