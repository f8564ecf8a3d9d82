/** Where the program `sage-git` is: the setting, beside the chosen Python, on PATH. Nothing relative is ever taken. */

import { delimiter, dirname, isAbsolute, join } from 'node:path';

/** What the search depends on. `isProgram` says whether a path can be run. */
export interface Surroundings {
  readonly configured: string;
  readonly interpreter: string | undefined;
  readonly path: string;
  readonly home: string;
  readonly windows: boolean;
  readonly isProgram: (path: string) => boolean;
}

/** The program, or in one sentence why there is none. */
export type Search = { readonly program: string } | { readonly problem: string };

export function findProgram(around: Surroundings): Search {
  const configured = around.configured.trim().replace(/^~(?=[\\/])/, around.home);
  if (configured) return chosen(configured, around);
  const name = around.windows ? 'sage-git.exe' : 'sage-git';
  const folders = around.path.split(delimiter).filter(isAbsolute);
  if (around.interpreter && isAbsolute(around.interpreter)) folders.unshift(dirname(around.interpreter));
  const program = folders.map((folder) => join(folder, name)).find(around.isProgram);
  return program ? { program } : { problem: 'sage-git was found neither beside the chosen Python nor on PATH.' };
}

/** A setting is a wish: if it cannot be met, nothing else is run instead. */
function chosen(configured: string, around: Surroundings): Search {
  if (!isAbsolute(configured)) return { problem: 'The setting sageGit.path must be an absolute path.' };
  if (!around.isProgram(configured)) return { problem: 'The setting sageGit.path names nothing that can be run.' };
  return { program: configured };
}
