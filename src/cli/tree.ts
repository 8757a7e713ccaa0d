/** Deeper levels are not drawn one by one, so that a chain of 100,000 tasks prints in linear time. */
const MAX_DRAWN_LEVELS = 40;

/**
 * The lines of a forest, drawn with `├──` and `└──`. A repeated node (a cycle in a damaged image) is shown again and
 * not followed.
 */
export function* treeLines<T>(
  roots: Iterable<T>,
  children: (node: T) => Iterable<T>,
  label: (node: T) => string,
): Generator<string> {
  const seen = new Set<T>();
  // An explicit stack: a hostile chain must not exhaust the call stack.
  const stack = [...roots].reverse().map((node) => ({ node, lead: "", branch: "", depth: 0 }));
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { node, lead, branch, depth } = item;
    const again = seen.has(node);
    yield `${lead}${branch}${label(node)}${again ? " (again)" : ""}`;
    if (again) continue;
    seen.add(node);
    const under = [...children(node)];
    const below = depth === 0 ? "" : lead + (branch === "└── " ? "    " : "│   ");
    const nextLead = depth < MAX_DRAWN_LEVELS ? below : `${" ".repeat(4 * MAX_DRAWN_LEVELS)}[${depth + 1}] `;
    for (const [at, child] of under.reverse().entries())
      stack.push({ node: child, lead: nextLead, branch: at === 0 ? "└── " : "├── ", depth: depth + 1 });
  }
}
