export {
  type ArchiveRequest,
  type PreparedArchive,
  prepareArchive,
} from "./archive-restore.js";
export type {
  Backend,
  BackendName,
  Ended,
  PlannedStep,
  Probe,
  Restart,
  RestartOptions,
  Unsupported,
} from "./backends/backend.js";
export { BACKENDS } from "./backends/backends.js";
export { findCriu } from "./backends/criu/find.js";
export type { CheckpointRequest } from "./backends/slim/checkpoint/checkpoint.js";
export { checkpointTree, DELETED_METHODS } from "./checkpoint.js";
export { engineFacts, engineFactsOf } from "./engine-facts.js";
export { type PodmanRequest, type PodmanRestore, podmanRestore } from "./engine-restore.js";
export { CriuImage, type ImageRecord, type PayloadRange } from "./formats/criu/image.js";
export { LinuxCrImage } from "./formats/linux-cr/image.js";
export type { ExtensionFacts, RecordCounts } from "./formats/linux-cr/own-records.js";
export { type HostFacts, hostFacts, MAX_FACTS_BYTES, parseHostFacts } from "./host-facts.js";
export { asciiJson, jsonString } from "./io/ascii-json.js";
export { chunksOf } from "./io/digest.js";
export * from "./io/errors.js";
export { hex } from "./io/hex.js";
export {
  MAX_JSON_BYTES,
  MAX_KEY_BYTES,
  MAX_MEMORY_READ_BYTES,
  MAX_PIPED_IMAGE_BYTES,
  MAX_RECIPE_BYTES,
  MAX_SEAL_BYTES,
} from "./io/limits.js";
export { createDirectory } from "./io/new-directory.js";
export { createFile } from "./io/new-file.js";
export { createPrivate, OutputName, openDevice, replaceable } from "./io/private-file.js";
export type { RecoverOptions, Recovery } from "./io/recover-in-place.js";
export { shellCommand, shownCommand } from "./io/shell.js";
export { FileSource, MemorySource } from "./io/source.js";
export { bytesToText } from "./io/text.js";
export { CAPABILITIES } from "./linux/capabilities.js";
export { checkpointsBelow, KUBELET_DIRECTORIES, type ListedCheckpoint, listCheckpoints } from "./list.js";
export * from "./model/checkpoint.js";
export {
  type CriuDocument,
  type Document,
  isInArchive,
  isOneFile,
  type LinuxCrDocument,
} from "./model/document.js";
export type { Lock, LockKind, LockType } from "./model/lock.js";
export type { Loss } from "./model/loss.js";
export type { Mapping, MappingKind, MemoryDescriptor } from "./model/mapping.js";
export { type Policy, type PolicyAction, type PolicySubject, policyFinder } from "./model/policy.js";
export { parseRecipe, type Recipe, type RecipeEdit } from "./model/recipe.js";
export { type AskedRight, askedRights } from "./model/rights/asked.js";
export { type Bearer, bearerOfUid, ownerOf } from "./model/rights/bearer.js";
export { type Grant, parseGrant } from "./model/rights/grant.js";
export { RIGHT_KINDS, RIGHT_NAMES, type RightName } from "./model/rights/kinds.js";
export type { Right } from "./model/rights/right.js";
export { rightsBeyond } from "./model/rights/rights.js";
export { lookAt, type SalvagedDocument, type Seen, salvage } from "./model/salvaged.js";
export { targetsOf } from "./model/search/pattern.js";
export { type Searchable, searchable, type Unsearched } from "./model/search/stored-search.js";
export type { DeletedInode, FilePiece, Ghost, StoredContents } from "./model/stored-bytes.js";
export { storedContents } from "./model/stored-contents.js";
export type { IdRange, Surroundings } from "./model/surroundings.js";
export { assertUnchanged, type OpenOptions, openDocument } from "./open.js";
export { openAnyImage, openImageBytes, openImageFile, openImages, openStreamFile } from "./open-image.js";
export { type Conversion, type Family, planConversion } from "./ops/convert/convert.js";
export {
  ARCHIVE_FORMS,
  type ArchiveForm,
  archiveOf,
  COMPRESSIONS,
  type Compression,
  type MadeArchive,
} from "./ops/convert/to-archive/to-archive.js";
export { conversionBytes, writeArchive, writeConversion, writeStream } from "./ops/convert/write.js";
export { type Core, type CoreReader, coreOf } from "./ops/core/core.js";
export type { Difference, FieldChange as DiffFieldChange } from "./ops/diff/compare.js";
export type { CheckpointDiff, DiffOptions } from "./ops/diff/diff.js";
export { diffCheckpoints } from "./ops/diff/diff.js";
export { MATCH_CHOICES } from "./ops/diff/match-tasks.js";
export type { MemoryDifference, PageRange } from "./ops/diff/memory.js";
export { type Comparable as DiffComparable, SECTIONS, type SectionName } from "./ops/diff/section.js";
export { dumpImage } from "./ops/dump/dump-image.js";
export { dumpStream } from "./ops/dump/dump-stream.js";
export type { DumpRange } from "./ops/dump/message-ranges.js";
export { type Applied, type ApplyOptions, applyPlan, editedBytes } from "./ops/edit/apply.js";
export type { CopiedSet } from "./ops/edit/criu/copy-set.js";
export { type TemporarySet, temporarySet } from "./ops/edit/criu/set-files.js";
export { type DueTime, dueText } from "./ops/edit/due.js";
export { formatSeconds, parseDuration } from "./ops/edit/duration.js";
export { type EditHistory, editHistory, firstEdit } from "./ops/edit/history.js";
export type { EditTarget, WrittenImage } from "./ops/edit/image-files.js";
export type { EditKind } from "./ops/edit/kind.js";
export { EDIT_KINDS } from "./ops/edit/kinds/index.js";
export { EDIT_LOG, type EditLog, readLog } from "./ops/edit/log.js";
export { type ChainBreak, entryOfHead, headOf, type LogChain } from "./ops/edit/log-chain.js";
export type { LogEntry, LoggedFile } from "./ops/edit/log-entry.js";
export type { NewFile } from "./ops/edit/new-file.js";
export { STREAM_LOG_SUFFIX } from "./ops/edit/place.js";
export {
  type Change,
  type Edit,
  editText,
  type Left,
  type Mention,
  type Plan,
  type PlanOptions,
  type RestoreWishes,
} from "./ops/edit/plan.js";
export { planEdits, recipeEdits } from "./ops/edit/plan-edits.js";
export {
  applyUndo,
  checkLog,
  type FileState,
  planUndo,
  type UndoPlan,
  type UndoTrust,
  undoEdits,
} from "./ops/edit/undo.js";
export { type Explanation, explainLog, type Failure, type Mend } from "./ops/explain/explain.js";
export type { LogLine } from "./ops/explain/log.js";
export type { LogObject } from "./ops/explain/objects.js";
export {
  chooseExtractable,
  type Extractable,
  extractables,
  type WantedObject,
} from "./ops/extract/extract.js";
export { findInImage, type Match } from "./ops/find/find.js";
export { findInStream } from "./ops/find/find-in-stream.js";
export { type FindOptions, type Matcher, matcherOf } from "./ops/find/matcher.js";
export { type GrepHit, type GrepOptions, grep } from "./ops/grep/grep.js";
export { type ImageInfo, imageInfo } from "./ops/info/image-info.js";
export { type StreamInfo, streamInfo } from "./ops/info/stream-info.js";
export {
  type ChosenMemory,
  chooseMemory,
  memoryContents,
  parseAddress,
  type Wanted,
} from "./ops/memory/extract.js";
export { type MemoryCounts, type MemoryView, memoryView } from "./ops/memory/memory-view.js";
export { type DecodeOptions, decodeImage } from "./ops/recode/decode-image.js";
export { type DecodeStreamOptions, decodeStream } from "./ops/recode/decode-stream.js";
export { type EncodeOptions, encodeImage } from "./ops/recode/encode-image.js";
export { type EncodeStreamOptions, encodeStream, isStreamJson } from "./ops/recode/encode-stream.js";
export { textOfJson } from "./ops/recode/json-text.js";
export type { RestoreOption } from "./ops/restore-options/option.js";
export {
  openRestoreOptions,
  restoreOptions,
} from "./ops/restore-options/restore-options.js";
export { type SealDifference, type SealVerdict, sealImage, verifySeal } from "./ops/seal/seal.js";
export type { ContainerSummary } from "./ops/show/container.js";
export type { Holder } from "./ops/show/holders.js";
export { recordView } from "./ops/show/record.js";
export type { RecordView } from "./ops/show/record-view.js";
export { summaryView } from "./ops/show/summary.js";
export type { SummaryView } from "./ops/show/summary-facts.js";
export type { TreeTask } from "./ops/show/tree.js";
export type { FileUse } from "./ops/show/uses.js";
export type { TaskName } from "./ops/show/view.js";
export { CONTAINER_VIEWS, VIEWS, type ViewData, type ViewName, type ViewOptions } from "./ops/show/views.js";
export type { Finding, Place as FindingPlace, RuleFacts, Severity } from "./ops/validate/finding.js";
export {
  type Checked,
  RULES,
  type ValidateOptions,
  type Verdict,
  validate,
} from "./ops/validate/validate.js";
export { ownerToBecome } from "./owner-to-become.js";
export { assertRecoverable, recoverImage } from "./recover.js";
export { type PreparedRestore, prepareRestore, type RestoreRequest } from "./restore.js";
