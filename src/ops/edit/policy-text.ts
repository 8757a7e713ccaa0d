import { UsageError } from "../../io/errors.js";
import type { Policy } from "../../model/policy.js";

/** `path=/tmp/** drop`, for people. */
export function policyText({ path, type, fd, action, to, append }: Policy): string {
  const which = [path && `path=${path}`, type && `type=${type}`, fd && `fd=${fd}`].filter(Boolean).join(" ");
  return `${which} ${action}${to === undefined ? "" : ` to ${to}`}${append ? ",append" : ""}`;
}

/** `to` that ends in a slash is a directory: the file keeps its own name in it. Errors: USAGE. */
export function policyPath(path: string, to: string): string {
  if (!to.startsWith("/"))
    throw new UsageError(`invalid path ${JSON.stringify(to)} (expected an absolute path)`);
  return to.endsWith("/") ? to + path.slice(path.lastIndexOf("/") + 1) : to;
}
