/** Whether a record is kept where a file lies; asked of the file system alone, so that nothing is started without need. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';

const CONFIG = join('.sage', 'config.toml');

export function isRecorded(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(join(folder, CONFIG))) return true;
    if (folder === dirname(folder)) return false;
  }
}

/** True if a workspace folder or an open document lies in a repository with a record. */
export function isAnyRecorded(): boolean {
  const folders = vscode.workspace.workspaceFolders?.map((folder) => folder.uri) ?? [];
  const documents = vscode.workspace.textDocuments.map((document) => document.uri);
  return [...folders, ...documents].some((uri) => uri.scheme === 'file' && isRecorded(uri.fsPath));
}

/** The file in the editor, or else the first folder: what a question is about if nothing else was named. */
export function subject(): vscode.Uri | undefined {
  const document = vscode.window.activeTextEditor?.document.uri;
  return document?.scheme === 'file' ? document : vscode.workspace.workspaceFolders?.[0]?.uri;
}
