/**
 * What this machine must do beside IPVS: firewall marks, masquerading and kernel settings. Made
 * when the configuration is loaded, looked at again with every audit, and put back at the end.
 */
import type { HostStatus } from '../api/statusModel.js';
import type { TandemConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import { syncRuleSetName, wantedRuleSets } from '../host/firewallRules.js';
import {
  directorRequirements,
  type Requirement,
  requirementReasons,
} from '../host/requirements.js';
import { missingSettings, type SettingComplaint, SettingsKeeper } from '../host/settings.js';
import { type Firewall, openFirewall } from '../kernel/firewall.js';
import type { AgentLogger } from './logger.js';

/** Who this agent is, for the rules that let only it send. */
const userId = process.getuid?.() ?? 0;

/** The file that remembers what settings were, beside the socket of the agent. */
export function settingsFileOf(config: TandemConfig): string {
  return `${config.api.socket}.settings.json`;
}

/** The machine, as the services need it. */
export class HostSetup {
  readonly #logger: AgentLogger;
  #config: TandemConfig | undefined;
  #keeper: SettingsKeeper | undefined;
  #firewall: Firewall | undefined;
  #complaints: readonly SettingComplaint<Requirement>[] = [];
  #repairs = 0;
  #lastError: string | null = null;
  #isSyncGuarded = false;
  #timer: NodeJS.Timeout | undefined;
  /** Audits and changes one after the other: two must not write rules at once. */
  #turn: Promise<void> = Promise.resolve();

  constructor(logger: AgentLogger) {
    this.#logger = logger.child({ part: 'host' });
  }

  /** Makes the machine as configured. What does not work is logged and in the status. */
  configure(config: TandemConfig): Promise<void> {
    const inTurn = this.#turn.then(async () => {
      const before = this.#config;
      this.#config = config;
      this.#keeper ??= new SettingsKeeper(settingsFileOf(config));
      this.#lookAtSettings(true);
      await this.#attempt(() => this.#replaceRules(before, config));
      clearInterval(this.#timer);
      this.#timer = setInterval(() => {
        this.#turn = this.#turn.then(() => this.#audit());
      }, config.ipvs.auditIntervalMs);
      this.#timer.unref();
    });
    this.#turn = inTurn;
    return inTurn;
  }

  /** Whether the ports of the relay are kept from other users. */
  get isSyncGuarded(): boolean {
    return this.#isSyncGuarded;
  }

  /** What the status document says. */
  snapshot(): HostStatus {
    return {
      firewall: this.#firewall?.backend ?? null,
      rules: this.#ruleCount(),
      repairs: this.#repairs,
      lastError: this.#lastError,
      managed: this.#keeper?.changed ?? [],
      settings: this.#complaints.map(({ change, found }) => ({
        setting: change.setting,
        found: found ?? null,
        wanted: change.wanted,
        level: change.level,
        why: requirementReasons[change.reason],
      })),
    };
  }

  /** Ends the audits; with `remove` nothing of ours stays on the machine. */
  async stop(onStop: TandemConfig['ipvs']['onStop']): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
    await this.#attempt(() => (onStop === 'remove' ? this.#withdraw() : this.#withdrawSync()));
  }

  /** What belongs to connection sync ends with it: its daemons are gone by now. */
  async #withdrawSync(): Promise<void> {
    const config = this.#config;
    if (config === undefined || config.connectionSync.mode === 'off') return;
    const lasting = directorRequirements(config).filter(({ owner }) => owner !== 'sync');
    this.#keeper?.apply(config.system.manage ? lasting : []);
    await this.#firewall?.replace({ name: syncRuleSetName, rules: [] });
    this.#isSyncGuarded = false;
  }

  async #withdraw(): Promise<void> {
    this.#keeper?.restore();
    for (const { name } of this.#ruleSets()) {
      await this.#firewall?.replace({ name, rules: [] });
    }
  }

  async #audit(): Promise<void> {
    this.#lookAtSettings(false);
    await this.#attempt(async () => {
      const repaired = (await this.#firewall?.audit()) ?? [];
      this.#lastError = null;
      this.#repairs += repaired.length;
      for (const name of repaired) {
        this.#logger.warn({ set: name }, 'somebody changed our firewall rules; they are back');
      }
    });
  }

  /** The firewall is opened when rules are wanted, and kept, since there may be rules to remove. */
  async #replaceRules(before: TandemConfig | undefined, config: TandemConfig): Promise<void> {
    this.#lastError = null;
    const sets = wantedRuleSets(config, userId);
    const wanted = sets.some(({ rules }) => rules.length > 0);
    if (before !== undefined && before.system.firewall !== config.system.firewall) {
      for (const { name } of sets) await this.#firewall?.replace({ name, rules: [] });
      this.#firewall = undefined;
    }
    if (!wanted && this.#firewall === undefined) return;
    this.#firewall ??= await openFirewall(config.system.firewall);
    this.#isSyncGuarded = false;
    for (const set of sets) {
      await this.#firewall.replace(set);
      if (set.name === syncRuleSetName) this.#isSyncGuarded = set.rules.length > 0;
    }
  }

  #lookAtSettings(isChange: boolean): void {
    const config = this.#config;
    if (config === undefined) return;
    const wanted = directorRequirements(config);
    const isManaged = ({ owner }: Requirement): boolean => config.system.manage || owner === 'sync';
    const { complaints, set } = this.#keeper?.apply(wanted.filter(isManaged)) ?? {
      complaints: [],
      set: [],
    };
    const others = wanted.filter((requirement) => !isManaged(requirement));
    this.#complaints = [...complaints, ...missingSettings(others)];
    if (set.length > 0) this.#logger.info({ settings: set }, 'kernel settings were set');
    if (isChange) this.#logComplaints();
  }

  #logComplaints(): void {
    for (const { change, found, error } of this.#complaints) {
      const { setting, wanted, reason, level } = change;
      const hint = this.#config?.system.manage === true ? '' : '; `system.manage: true` sets it';
      this.#logger[level === 'required' ? 'warn' : 'info'](
        `${setting} is ${found ?? 'missing'} and should be ${wanted}: ` +
          `${requirementReasons[reason]}${error === undefined ? hint : ` (${error})`}`,
      );
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      const hint = error instanceof TandemError ? error.hint : undefined;
      this.#logger.error({ hint }, this.#lastError);
    }
  }

  #ruleSets() {
    const config = this.#config;
    return config === undefined ? [] : wantedRuleSets(config, userId);
  }

  #ruleCount(): number {
    return this.#ruleSets().reduce((sum, { rules }) => sum + rules.length, 0);
  }
}
