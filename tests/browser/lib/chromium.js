// The system's Chromium. Nothing is downloaded.
// @ts-check
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** A program of the system, by the first of these names that is there. @param {string[]} names */
export function executable(names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error(`none of ${names.join(", ")} is on the path`);
  return found;
}

/** Starts it without a window. */
export function launch() {
  // Its sandbox does not run as root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: executable(NAMES), args });
}
