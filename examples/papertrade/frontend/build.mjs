// Copies src/ to dist/ and writes the VITE_ settings into the code:
// the environment first, then .env.production.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const settings = {};
if (existsSync(".env.production")) {
  for (const line of readFileSync(".env.production", "utf8").split("\n")) {
    const found = /^(VITE_\w+)=(.*)$/.exec(line.trim());
    if (found) settings[found[1]] = found[2];
  }
}
for (const [name, value] of Object.entries(process.env)) {
  if (name.startsWith("VITE_")) settings[name] = value;
}

rmSync("dist", { recursive: true, force: true });
cpSync("src", "dist", { recursive: true });
const code = readFileSync("src/main.js", "utf8").replace(
  /import\.meta\.env\.(VITE_\w+)/g,
  (_, name) => JSON.stringify(settings[name]) ?? "undefined",
);
writeFileSync("dist/main.js", code);
console.log("built dist/ with", Object.keys(settings).sort().join(", ") || "no settings");
