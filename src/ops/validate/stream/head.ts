import { RECORDS } from "../../../formats/linux-cr/records.js";
import { ARCHITECTURES, archNumbering } from "../../../formats/linux-cr/revisions.js";
import { hex } from "../../../io/hex.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, recordRule, SET_FIELD } from "./record-rule.js";

const MAGIC = 0x00fe_ed0c_c0a2_d200n;
const OLDEST_REV = 3;
const NEWEST_REV = 6;
const LSM_NAME_BYTES = 11;
const MAX_LSM_BYTES = 200;
/** Numbers of the kernel that layouts of the format repeat. */
const FIXED: Readonly<Record<string, number>> = {
  task_comm_len: 16,
  signal_nsig: 64,
  uts_sysname_len: 65,
  uts_nodename_len: 65,
  uts_domainname_len: 65,
  rlimit_nlimits: 16,
};

/** Rules about HEADER and what stands around it. */
export const headRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.HEADER,
    {
      id: "HEADER_MAGIC",
      level: "error",
      about: "HEADER has the magic number of a checkpoint.",
      fix: SET_FIELD,
    },
    function* ({ magic }) {
      if (magic !== MAGIC)
        yield {
          field: "magic",
          right: hex(MAGIC),
          what: "another number than that of a checkpoint",
          expected: hex(MAGIC),
          found: hex(magic),
        };
    },
  ),
  recordRule(
    RECORDS.HEADER,
    {
      id: "HEADER_VERSION",
      level: "error",
      about: "HEADER gives a version of the format from 3 to 6, and an architecture that it has.",
      fix: "Use the crimg that reads this version; crimg edit --set corrects a number that was edited.",
    },
    function* ({ rev, arch_id }, _, { stream }) {
      if (rev < OLDEST_REV || rev > NEWEST_REV)
        yield {
          field: "rev",
          what: "no version of the format",
          expected: `${OLDEST_REV} to ${NEWEST_REV}`,
          found: String(rev),
        };
      const { commit, arch } = stream.dialect;
      const name = archNumbering(commit)[arch_id - 1];
      if (name === undefined || ARCHITECTURES[name] !== arch)
        yield {
          field: "arch_id",
          what: `the header set ${commit} has another architecture under this number`,
          expected: arch.name,
          found: `${arch_id}, ${name === undefined ? "none" : ARCHITECTURES[name].name}`,
        };
    },
  ),
  recordRule(
    RECORDS.HEADER,
    {
      id: "HEADER_CONSTANTS",
      level: "error",
      about: "The numbers of the kernel in HEADER are those by which its records are laid out.",
      fix: "No crimg and no known kernel reads records of other sizes; copy the stream again if it was damaged.",
    },
    function* ({ constants }) {
      for (const [name, expected] of Object.entries(FIXED)) {
        const found = (constants as Readonly<Record<string, number>>)[name];
        if (found !== undefined && found !== expected)
          yield {
            field: `constants.${name}`,
            what: "another size than the records have",
            expected: String(expected),
            found: String(found),
          };
      }
    },
  ),
  recordRule(
    RECORDS.HEADER,
    {
      id: "HEADER_TEXTS",
      level: "error",
      about: "Release, version and machine follow HEADER, each of the size that HEADER gives, with a NUL.",
      fix: AGAIN,
    },
    function* ({ constants }, index, { stream }) {
      const lengths = [constants.uts_release_len, constants.uts_version_len, constants.uts_machine_len];
      for (const [i, expected] of lengths.entries()) {
        const record = index + 1 + i;
        if (stream.kind(record) !== RECORDS.BUFFER) return;
        const { size } = stream.payload(record);
        const what = ["release", "version", "machine"][i];
        if (size !== expected)
          yield {
            what: `the text of ${what} has another size than HEADER says`,
            expected: `${expected} bytes`,
            found: `${size} bytes`,
          };
        else if (!stream.bytes(record).includes(0)) yield { what: `the text of ${what} has no NUL` };
      }
    },
  ),
  recordRule(
    RECORDS.CONTAINER,
    {
      id: "LSM_NAME",
      level: "error",
      about: "The name of the security module has 11 bytes with a NUL, its private data at most 200.",
      fix: AGAIN,
    },
    function* (_, index, { stream }) {
      if (stream.kind(index + 2) !== RECORDS.LSM_INFO || stream.kind(index + 1) !== RECORDS.BUFFER) return;
      const { size } = stream.payload(index + 1);
      if (size !== LSM_NAME_BYTES || !stream.bytes(index + 1).includes(0))
        yield {
          what: "no name of a security module",
          expected: `${LSM_NAME_BYTES} bytes with a NUL`,
          found: `${size} bytes`,
        };
      const info = stream.payload(index + 2).size;
      if (info > MAX_LSM_BYTES)
        yield {
          what: "too much data of the security module",
          expected: `at most ${MAX_LSM_BYTES} bytes`,
          found: `${info} bytes`,
        };
    },
  ),
];
