/** Options of criu restore that make it check less, and the rules about what it then does not check. */
const WAIVING: readonly {
  readonly option: string;
  /** Only with one of these values. */
  readonly values?: RegExp;
  readonly rules: readonly string[];
}[] = [
  { option: "--skip-file-rwx-check", rules: ["FILE_MODE"] },
  { option: "--file-validation", values: /^filesize$/, rules: ["FILE_BUILD_ID"] },
  { option: "--manage-cgroups", values: /^(ignore|none)$/, rules: ["CGROUP"] },
  { option: "--cpu-cap", values: /^none$/, rules: ["CPU_FEATURES"] },
  { option: "--lsm-profile", rules: ["LSM_TYPE"] },
  { option: "--network-lock", values: /^(nftables|skip)$/, rules: ["NETWORK_LOCK"] },
  { option: "--unprivileged", rules: ["NOT_ROOT", "CAPABILITY_MISSING"] },
];

/** Ids of the rules of validation that arguments of the user for criu make irrelevant. */
export function waivedRules(extra: readonly string[]): string[] {
  return WAIVING.filter(({ option, values }) =>
    extra.some((word, at) => {
      const [name, value = extra[at + 1] ?? ""] = word.split("=", 2);
      return name === option && (values === undefined || values.test(value));
    }),
  ).flatMap(({ rules }) => rules);
}
