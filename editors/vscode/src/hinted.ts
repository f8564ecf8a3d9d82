/** Which lines have a hint of ours at their end already, so that nothing is said twice. */

import * as vscode from 'vscode';

export class Hinted implements vscode.Disposable {
  readonly #lines = new Map<string, ReadonlySet<number>>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #closed = vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#lines.delete(uri.toString()));

  readonly onDidChange = this.#changed.event;

  note({ uri }: vscode.TextDocument, hints: readonly vscode.InlayHint[]): void {
    this.#lines.set(uri.toString(), new Set(hints.map((hint) => hint.position.line)));
    this.#changed.fire(uri);
  }

  has({ uri }: vscode.TextDocument, line: number): boolean {
    return this.#lines.get(uri.toString())?.has(line) ?? false;
  }

  dispose(): void {
    vscode.Disposable.from(this.#changed, this.#closed).dispose();
  }
}
