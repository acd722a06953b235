import type { FileInfo } from '../places.js';
import { flag, int64, optional, record, text } from '../wire/write.js';

export const fileInfo = record<FileInfo>('FileInfo', { path: text, is_dir: flag, file_size: optional(int64) });
