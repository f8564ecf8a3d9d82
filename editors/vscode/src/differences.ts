/** Both sides of a change, beside each other in the workbench's own diff, with the source's colours. */

import * as vscode from 'vscode';
import type { Difference } from './protocol.ts';
import { plain } from './text.ts';

const SCHEME = 'sage-git';
/** How many texts are kept: those of the tabs that may be open. */
const KEPT = 64;

export class Differences implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  dispose(): void {
    this.#registration.dispose();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.toString()) ?? '';
  }

  async show(eventId: string, difference: Difference): Promise<void> {
    const before = this.#keep(eventId, 'before', difference.filePath, difference.before);
    const after = this.#keep(eventId, 'after', difference.filePath, difference.after);
    await vscode.commands.executeCommand('vscode.diff', before, after, plain(difference.title), { preview: true });
  }

  #keep(eventId: string, side: string, path: string, text: string | null): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${path}`, query: `${side} ${eventId}` });
    this.#texts.delete(uri.toString());
    this.#texts.set(uri.toString(), text ?? '');
    const oldest = this.#texts.keys().next();
    if (this.#texts.size > KEPT && !oldest.done) this.#texts.delete(oldest.value);
    return uri;
  }
}
