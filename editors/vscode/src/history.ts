/** The history of the file in the editor: one row an event, newest first; a click shows what it changed. */

import * as vscode from 'vscode';
import type { Happening } from './protocol.ts';
import { Rows } from './rows.ts';
import type { Server } from './server.ts';
import { ago, plain } from './text.ts';

const ICONS: Readonly<Record<string, string>> = {
  FILE_ADDED: 'diff-added',
  FILE_EDITED: 'diff-modified',
  FILE_REMOVED: 'diff-removed',
  FILE_RENAMED: 'diff-renamed',
  FILE_SPLIT: 'split-horizontal',
  FILE_MERGED: 'git-merge',
  RECONCILIATION: 'comment',
  HALT_AND_REPORT: 'stop-circle',
  EVENT_REDACTED: 'eye-closed',
};
const WITH_DIFF = new Set(['FILE_ADDED', 'FILE_EDITED', 'FILE_REMOVED', 'FILE_RENAMED', 'ROGUE_EDIT_DETECTED', 'RECONCILIATION']);

/** A row, and the document it was asked for. */
type Row = Happening & { readonly uri: string };

export class History extends Rows<Row> {
  #source: vscode.Uri | undefined;

  constructor(server: Server) {
    super(server, 'sageGit.history');
    this.keep(vscode.window.onDidChangeActiveTextEditor((editor) => this.#follow(editor)));
    this.#follow(vscode.window.activeTextEditor);
  }

  async getChildren(): Promise<Row[]> {
    const source = this.#source;
    if (!source) return [];
    const uri = source.toString();
    const rows = (await this.server.ask('sage.history', { uri }).catch(() => undefined)) ?? [];
    this.view.description = rows.length ? plain(vscode.workspace.asRelativePath(source)) : '';
    return rows.map((row) => ({ ...row, uri }));
  }

  getTreeItem(row: Row): vscode.TreeItem {
    const item = new vscode.TreeItem(plain(row.subject || row.label));
    item.id = row.eventId;
    item.description = `${ago(row.timestamp, Date.now())} · ${plain(row.actor)}`;
    item.iconPath = new vscode.ThemeIcon(icon(row), colour(row));
    item.tooltip = told(row);
    item.contextValue = row.open ? 'sageGit.openEdit' : 'sageGit.event';
    item.accessibilityInformation = { label: `${row.label}, ${item.label}, ${item.description}, ${standing(row)}` };
    if (WITH_DIFF.has(row.type)) {
      item.command = { command: 'sageGit.showDiff', title: 'Show What It Changed', arguments: [row] };
    }
    return item;
  }

  /** A diff, an output or a setting beside the file is no reason to forget the file. */
  #follow(editor: vscode.TextEditor | undefined): void {
    if (editor?.document.uri.scheme !== 'file') return;
    this.#source = editor.document.uri;
    this.refresh();
  }
}

function icon(row: Happening): string {
  return row.open ? 'warning' : (ICONS[row.type] ?? 'circle-small-filled');
}

function colour(row: Happening): vscode.ThemeColor | undefined {
  if (row.open) return new vscode.ThemeColor('list.warningForeground');
  if (row.standing === 'planned') return new vscode.ThemeColor('charts.green');
  return row.standing === 'answered' ? new vscode.ThemeColor('charts.blue') : undefined;
}

function standing(row: Happening): string {
  if (row.open) return 'unplanned, and nobody answered for it';
  if (row.standing === 'planned') return row.planId ? `planned: ${plain(row.planId)}` : 'planned';
  return row.standing ?? '';
}

function told(row: Happening): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  tooltip.appendText(`${plain(row.subject || row.label)}\n\n${plain(row.actor)}\n`);
  tooltip.appendText(`${new Date(row.timestamp).toLocaleString()}\n\n`);
  tooltip.appendText([plain(row.label), standing(row), row.eventId.slice(0, 8)].filter(Boolean).join(' · '));
  return tooltip;
}
