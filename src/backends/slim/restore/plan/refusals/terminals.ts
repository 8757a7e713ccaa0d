import type { Host } from "../../host.js";
import type { Image } from "../../image.js";
import { type ImageTerminal, imageTerminals } from "../../image-terminals.js";
import { externalTerminals, sessionTerminals } from "../session-terminals.js";

/** Terminals that cannot be made anew, and those outside the checkpoint for which crimg has none of its own. */
export function unsupportedTerminals(image: Image, host: Host): string[] {
  const terminals = imageTerminals(image.reader);
  return [
    ...[...terminals.values()].flatMap((end) => unsupportedEnds(end, terminals, host)),
    ...unsupportedExternal(image, host),
  ];
}

function unsupportedEnds(
  { index, isPseudo, isMaster, isExternal, master }: ImageTerminal,
  terminals: ReadonlyMap<number, ImageTerminal>,
  host: Host,
): string[] {
  const name = `the terminal /dev/pts/${index}`;
  if (!isPseudo) return [`terminal ${index} of the checkpoint is no pseudo terminal`];
  if (!isMaster) return terminals.get(master)?.isMaster ? [] : [`${name} of the checkpoint has no master`];
  if (isExternal) return [];
  return host.hasTerminal(index)
    ? [`${name} of the checkpoint is in use on this host: end the task that has it`]
    : [];
}

function unsupportedExternal(image: Image, host: Host): string[] {
  const external = externalTerminals(image);
  const [first] = external;
  if (first === undefined) return [];
  const names = [...new Set(external.map(({ index }) => `/dev/pts/${index}`))];
  if (names.length > 1)
    return [
      `the terminals ${names.join(" and ")} are outside of the checkpoint, and crimg runs on one alone that could take their place`,
    ];
  const caller = host.terminal();
  if (caller === undefined)
    return [
      `the terminal ${names[0]} is outside of the checkpoint, and crimg runs on none that could take its place: run it with a terminal as standard input`,
    ];
  const taken = sessionTerminals(image).find(({ terminal }) =>
    external.some(({ objref }) => objref === terminal),
  );
  return taken === undefined || caller.canBeTaken
    ? []
    : [
        `task ${taken.sid} leads the session of the terminal ${names[0]}, and ${caller.name} belongs to the session ${caller.session}: run crimg as the first program of a terminal, as by \`script -c "crimg restore …"\``,
      ];
}
