/** Who changed the line that the cursor is in, behind it; nothing while the server is not sure. */

import * as vscode from 'vscode';
import type { Line } from './protocol.ts';
import { plain, shortened } from './text.ts';
import type { Server } from './server.ts';

const PAUSE_MS = 60;
const LENGTH = 96;

export class Annotation implements vscode.Disposable {
  readonly #server: Server;
  readonly #look = vscode.window.createTextEditorDecorationType({
    after: { margin: '0 0 0 3em', color: new vscode.ThemeColor('sageGit.annotationForeground'), fontStyle: 'italic' },
    rangeBehavior: vscode.DecorationRangeBehavior.OpenOpen,
  });
  readonly #subscriptions: vscode.Disposable[];
  #question: vscode.CancellationTokenSource | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: Server) {
    this.#server = server;
    this.#subscriptions = [
      vscode.window.onDidChangeTextEditorSelection((event) => this.#later(event.textEditor)),
      vscode.window.onDidChangeActiveTextEditor((editor) => this.#later(editor)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        const editor = vscode.window.activeTextEditor;
        if (editor?.document === document) this.#later(editor);
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('sageGit.annotation')) this.#later(vscode.window.activeTextEditor);
      }),
      server.onDidChange(() => this.#later(vscode.window.activeTextEditor)),
      server.hinted.onDidChange((uri) => {
        const editor = vscode.window.activeTextEditor;
        if (editor?.document.uri.toString() === uri.toString()) this.#later(editor);
      }),
    ];
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#question?.cancel();
    this.#look.dispose();
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  /** What is shown goes at once: it may be wrong already. */
  #later(editor: vscode.TextEditor | undefined): void {
    clearTimeout(this.#timer);
    this.#question?.cancel();
    for (const visible of vscode.window.visibleTextEditors) visible.setDecorations(this.#look, []);
    if (editor?.document.uri.scheme !== 'file') return;
    if (!vscode.workspace.getConfiguration('sageGit').get('annotation.enabled', true)) return;
    this.#timer = setTimeout(() => void this.#annotate(editor), PAUSE_MS);
  }

  async #annotate(editor: vscode.TextEditor): Promise<void> {
    const question = new vscode.CancellationTokenSource();
    this.#question = question;
    const { document, selection } = editor;
    const { version } = document;
    const line = selection.active.line;
    if (this.#server.hinted.has(document, line)) return;
    const answer = await this.#server
      .ask('sage.line', { uri: document.uri.toString(), line }, question.token)
      .catch(() => undefined);
    if (!answer || question.token.isCancellationRequested || document.version !== version) return;
    editor.setDecorations(this.#look, [{ range: document.lineAt(line).range, renderOptions: after(answer) }]);
  }
}

function after(line: Line): vscode.DecorationInstanceRenderOptions {
  const contentText = shortened(plain(line.text), LENGTH);
  const color = line.open ? { color: new vscode.ThemeColor('editorWarning.foreground') } : {};
  return { after: { contentText, ...color } };
}
