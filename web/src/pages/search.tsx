import { Page } from "../parts/page";
import type { Place } from "../router";

export function SearchView({ place }: { place: Place }) {
  return <Page title={place.path}>.</Page>;
}
