import path from "node:path";
import { CriuImage } from "./formats/criu/image.js";
import { FileSource, MemorySource } from "./io/source.js";

/**
 * Opens one image file of a set. Its kind is told by its magic; the name counts only for raw images, which have none.
 * Errors: CrimgError MISSING or IO for a file that cannot be opened, FormatError for what is no image.
 */
export function openImageFile(file: string): CriuImage {
  return new CriuImage(new FileSource(file), path.basename(file));
}

/** An image whose bytes are in memory; `name` is for messages. Errors: FormatError for what is no image. */
export function openImageBytes(bytes: Buffer, name: string): CriuImage {
  return new CriuImage(new MemorySource(bytes, name), "");
}
