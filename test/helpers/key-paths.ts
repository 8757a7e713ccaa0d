/** The paths to all values in samples of JSON-like data, `tasks[].pid`, each once and sorted: its shape. */
export function keyPaths(samples: Iterable<unknown>): string[] {
  const paths = new Set<string>();
  for (const sample of samples) collect(sample, "", paths);
  return [...paths].sort();
}

function collect(value: unknown, path: string, paths: Set<string>): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) {
    paths.add(`${path} ${Buffer.isBuffer(value) ? "bytes" : typeof value}`);
    return;
  }
  if (Symbol.iterator in value) {
    for (const item of value as Iterable<unknown>) collect(item, `${path}[]`, paths);
    return;
  }
  for (const [key, item] of Object.entries(value)) collect(item, path === "" ? key : `${path}.${key}`, paths);
}
