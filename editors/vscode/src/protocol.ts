/** What the language server is asked beyond the protocol, and what it answers. docs/editors.md tells the same in words. */

/** `standing` of an event: what it has to do with a plan. */
export type Standing = 'planned' | 'unplanned' | 'answered';

export interface OpenEdit {
  readonly eventId: string;
  readonly filePath: string;
  readonly commit: string;
  readonly lines?: readonly (readonly [number, number])[];
}

export interface Plan {
  readonly planId: string;
  readonly planHash: string;
  readonly state: 'drafted' | 'approved' | 'denied' | 'unsafe' | 'completed' | 'expired';
  readonly scope: readonly string[];
  readonly summary: string;
  readonly steps?: readonly string[];
  readonly expiresAt?: string;
  readonly inUse: boolean;
}

export interface Status {
  readonly root: string;
  readonly recording: 'current' | 'behind' | 'disabled';
  readonly openRogueEdits: OpenEdit[];
  readonly plansInForce: readonly Plan[];
  readonly halts: readonly unknown[];
}

/** One row of a file's history. */
export interface Happening {
  readonly eventId: string;
  readonly type: string;
  readonly label: string;
  readonly subject: string;
  readonly actor: string;
  readonly timestamp: string;
  readonly commit: string | null;
  readonly filePath: string | null;
  readonly planId: string | null;
  readonly standing: Standing | null;
  readonly open: boolean;
}

/** What stands behind one line of a document that is as it was recorded. */
export interface Line {
  readonly eventId: string;
  readonly text: string;
  readonly standing: Standing | null;
  readonly open: boolean;
}

/** Both sides of what one event did. A side is null where there was no text. */
export interface Difference {
  readonly title: string;
  readonly filePath: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface Place {
  readonly uri: string;
  readonly line?: number;
}

/** Each command of the server: what it takes beside `uri`, and what it answers. Every answer is null outside a record. */
export interface Commands {
  'sage.status': [argument: object, answer: Status];
  'sage.plans': [argument: object, answer: Plan[]];
  'sage.history': [argument: object, answer: Happening[]];
  'sage.line': [argument: { readonly line: number }, answer: Line];
  'sage.showDiff': [argument: { readonly eventId: string }, answer: Difference];
  'sage.openChronicle': [argument: object, answer: Place];
  'sage.planDraft': [argument: { readonly summary: string; readonly scope: readonly string[] }, answer: Plan];
  'sage.planApprove': [argument: { readonly planId: string; readonly justification: string }, answer: Plan];
  'sage.planDeny': [argument: { readonly planId: string; readonly justification: string }, answer: Plan];
  'sage.planUse': [argument: { readonly planId: string | null }, answer: Plan];
  'sage.reconcile': [argument: { readonly eventIds: readonly string[]; readonly justification: string }, answer: { eventId: string }];
  'sage.restoreSidecar': [argument: object, answer: null];
  'sage.refresh': [argument: object, answer: null];
}

export type Command = keyof Commands;
export type Argument<C extends Command> = { readonly uri: string } & Commands[C][0];
export type Answer<C extends Command> = Commands[C][1];

/** The server says so when the record, a plan or HEAD is another one than before. */
export const CHANGED = 'sage/changed';
