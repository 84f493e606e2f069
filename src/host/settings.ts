/**
 * Kernel settings that are changed for as long as they are needed. What they were before is kept in
 * a file, so that an agent that was killed, or a later one, can still put them back.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { TandemError } from '../errors.js';
import { readSysctl, writeSysctl } from '../kernel/sysctl.js';

/** A setting and the value that it shall have. */
export interface SettingChange {
  readonly setting: string;
  readonly accepted: readonly string[];
  readonly wanted: string;
}

/** A setting that is not as it should be, and stays so. */
export interface SettingComplaint<Change extends SettingChange> {
  readonly change: Change;
  /** What it is; absent when the kernel has no such setting. */
  readonly found?: string;
  /** Why it could not be set; absent when it was not tried. */
  readonly error?: string;
}

/** What came of setting what is not as it should be. */
export interface AppliedSettings<Change extends SettingChange> {
  readonly complaints: readonly SettingComplaint<Change>[];
  /** Names of the settings that were changed. */
  readonly set: readonly string[];
}

/** What one setting was before it was set. */
interface KeptSetting {
  readonly before: string;
  readonly set: string;
}

/** Looks which settings are not as they should be, without changing one. */
export function missingSettings<Change extends SettingChange>(
  changes: readonly Change[],
): readonly SettingComplaint<Change>[] {
  return changes.flatMap((change) => {
    const found = currentValue(change.setting);
    if (found !== undefined && change.accepted.includes(found)) return [];
    return [{ change, ...(found === undefined ? {} : { found }) }];
  });
}

/** The settings that were changed, with what they were. */
export class SettingsKeeper {
  readonly #path: string;
  readonly #kept: Map<string, KeptSetting>;

  /** Takes over what an earlier process left in the file. */
  constructor(path: string) {
    this.#path = path;
    this.#kept = readKept(path);
  }

  /** Names of the settings that are changed at present. */
  get changed(): readonly string[] {
    return [...this.#kept.keys()];
  }

  /**
   * Sets what is not as it should be, and puts back what is not asked for any more. Returns what
   * could not be set, and the settings that it changed.
   */
  apply<Change extends SettingChange>(changes: readonly Change[]): AppliedSettings<Change> {
    const asked = new Set(changes.map(({ setting }) => setting));
    this.#restore([...this.#kept.keys()].filter((setting) => !asked.has(setting)));
    return this.add(changes);
  }

  /** Sets what is not as it should be, and leaves what was set before. Returns the same. */
  add<Change extends SettingChange>(changes: readonly Change[]): AppliedSettings<Change> {
    const complaints: SettingComplaint<Change>[] = [];
    const set: string[] = [];
    for (const { change, found } of missingSettings(changes)) {
      if (found === undefined) {
        complaints.push({ change });
        continue;
      }
      const { setting, wanted } = change;
      const before = this.#kept.get(setting)?.before ?? found;
      // On record before it is done, so that it can be undone whatever happens in between.
      this.#kept.set(setting, { before, set: wanted });
      this.#write();
      try {
        writeSysctl(setting, wanted);
        set.push(setting);
      } catch (error) {
        this.#kept.delete(setting);
        const message = error instanceof Error ? error.message : String(error);
        complaints.push({ change, found, error: message });
      }
    }
    this.#write();
    return { complaints, set };
  }

  /** Puts everything back; returns the settings that it changed. */
  restore(): readonly string[] {
    const restored = this.#restore([...this.#kept.keys()]);
    this.#write();
    return restored;
  }

  /** A setting that somebody else has changed since is theirs. */
  #restore(settings: readonly string[]): readonly string[] {
    return settings.filter((setting) => {
      const kept = this.#kept.get(setting);
      this.#kept.delete(setting);
      if (kept === undefined || currentValue(setting) !== kept.set) return false;
      writeSysctl(setting, kept.before);
      return true;
    });
  }

  #write(): void {
    if (this.#kept.size === 0) {
      rmSync(this.#path, { force: true });
      return;
    }
    const part = `${this.#path}.part`;
    writeFileSync(part, `${JSON.stringify(Object.fromEntries(this.#kept), null, 2)}\n`, {
      mode: 0o600,
    });
    renameSync(part, this.#path);
  }
}

function currentValue(setting: string): string | undefined {
  try {
    return readSysctl(setting);
  } catch (error) {
    if (error instanceof TandemError) return undefined;
    throw error;
  }
}

/** A file that cannot be read says nothing; the settings then stay as they are. */
function readKept(path: string): Map<string, KeptSetting> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8'))));
  } catch {
    return new Map();
  }
}
