import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import "@xyflow/react/dist/base.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/graph.css";
import "./style/print.css";

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
