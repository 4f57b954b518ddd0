import type { PartnerId, ProjectId } from '../../../functions/core/identifiers.ts';
import type { PartnerAccess } from '../../../functions/core/ports.ts';

/** The partners' records, as operators change them, with what they said before. */
export class PartnerRecords {
  /** Of each partner, the newest last. */
  private readonly history = new Map<PartnerId, { readonly at: number; readonly access: PartnerAccess }[]>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  set(partnerId: PartnerId, access: PartnerAccess): void {
    this.history.set(partnerId, [...(this.history.get(partnerId) ?? []), { at: this.now(), access }]);
  }

  accessOf(partnerId: PartnerId): PartnerAccess {
    return this.history.get(partnerId)?.at(-1)?.access ?? { kind: 'projects', projects: [] };
  }

  /** Whether the project was the partner's at some moment since then. */
  hadSince(partnerId: PartnerId, projectId: ProjectId, since: number): boolean {
    return this.during(partnerId, since).some((access) => names(access, projectId));
  }

  /** Whether the project has been the partner's since then without a break. */
  hasAllSince(partnerId: PartnerId, projectId: ProjectId, since: number): boolean {
    const during = this.during(partnerId, since);
    return during.length > 0 && during.every((access) => names(access, projectId));
  }

  private during(partnerId: PartnerId, since: number): readonly PartnerAccess[] {
    const all = this.history.get(partnerId) ?? [];
    return all.filter((_, n) => (all[n + 1]?.at ?? Number.POSITIVE_INFINITY) >= since).map(({ access }) => access);
  }
}

const names = (access: PartnerAccess, projectId: ProjectId): boolean =>
  access.kind === 'any' || access.projects.includes(projectId);
