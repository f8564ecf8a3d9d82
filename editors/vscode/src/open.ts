/** The changes that no plan covers and nobody answered for: a list to work off. A click goes to the place. */

import * as vscode from 'vscode';
import type { OpenEdit } from './protocol.ts';
import { subject } from './records.ts';
import { Rows } from './rows.ts';
import type { Server } from './server.ts';
import { plain } from './text.ts';

/** A change, and the repository it is in. */
type Row = OpenEdit & { readonly uri: string };

export class OpenEdits extends Rows<Row> {
  constructor(server: Server) {
    super(server, 'sageGit.open');
  }

  async getChildren(): Promise<Row[]> {
    const uri = subject()?.toString();
    const status = uri ? await this.server.ask('sage.status', { uri }).catch(() => undefined) : undefined;
    const edits = status?.openRogueEdits.map((edit) => ({ ...edit, uri: status.root })) ?? [];
    this.view.badge = edits.length ? { value: edits.length, tooltip: 'Changes that nobody answered for' } : undefined;
    return edits;
  }

  getTreeItem(edit: Row): vscode.TreeItem {
    const source = vscode.Uri.joinPath(vscode.Uri.parse(edit.uri, true), edit.filePath);
    const line = edit.lines?.[0]?.[0];
    const item = new vscode.TreeItem(source);
    item.id = edit.eventId;
    item.label = plain(edit.filePath.split('/').at(-1) ?? edit.filePath);
    const folder = plain(edit.filePath.split('/').slice(0, -1).join('/'));
    item.description = [folder, line && `line ${line}`].filter(Boolean).join(', ');
    item.tooltip = new vscode.MarkdownString().appendText(`${plain(edit.filePath)} in commit ${edit.commit.slice(0, 8)}`);
    item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
    item.contextValue = 'sageGit.openEdit';
    const selection = line ? { selection: new vscode.Range(line - 1, 0, line - 1, 0) } : {};
    item.command = { command: 'vscode.open', title: 'Open', arguments: [source, selection] };
    return item;
  }
}
