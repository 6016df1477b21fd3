using System.Globalization;
using System.Text.Json.Nodes;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>What is noted of an account, as the API takes it; null leaves a thing as it is, and what is empty takes it away.</summary>
/// <param name="Expires">When it is disabled by itself: a day as in 2027-06-30, which is its last one in the account's zone or the server's, or a time with its zone.</param>
/// <param name="ExpiryNoticeDays">So many days before its owner is told, by mail.</param>
/// <param name="Attributes">Of other programs: what is named is set, null takes it away (RFC 7396).</param>
/// <param name="Language">In which the server writes to its owner: en or ru.</param>
/// <param name="Zone">As in Europe/Moscow.</param>
/// <param name="Identities">Names to write under; the first is the one before all.</param>
record AccountDetails(
    [property: NullMeans("\"\"")] string? Expires = null, [property: NullMeans("0")] int? ExpiryNoticeDays = null, [property: NullMeans("[]")] IReadOnlyList<string>? Tags = null, JsonObject? Attributes = null, [property: NullMeans("\"\"")] string? Language = null, [property: NullMeans("\"\"")] string? Zone = null,
    [property: NullMeans("[]")] IReadOnlyList<Identity>? Identities = null)
{
    const int MostTags = 25, LongestTag = 50, MostAttributes = 64, MostAttributeText = 16 << 10, MostIdentities = 50, MostNoticeDays = 365;

    /// <summary>The profile with what is wanted.</summary>
    /// <param name="account">Whose it is; null: it is not there yet.</param>
    public Result<AccountProfile> Apply(AccountProfile old, Account? account, UserDirectory directory)
    {
        var next = old;
        if (Expires is not null)
        {
            if (!TryTime(Expires, Days.Zone(Zone is { Length: > 0 } zone ? zone : Zone is null ? old.Zone : null), isEnd: true, out var when)) return Refusal.Invalid.Because("expires is a day as in 2027-06-30, or a time with its zone as in 2027-06-30T18:00:00+03:00; \"\" is never").At("expires");
            next = next with { Expires = when, ToldOfExpiry = null };
        }
        if (ExpiryNoticeDays is { } days)
        {
            if (days is < 0 or > MostNoticeDays) return Refusal.Invalid.Because($"expiryNoticeDays is 0 to {MostNoticeDays}").At("expiryNoticeDays");
            next = next with { ExpiryNoticeDays = days == 0 ? null : days };
        }
        if (Tags is not null)
        {
            if (Tags.Count > MostTags || Tags.Any(tag => tag.Length is 0 or > LongestTag || tag.Any(char.IsControl))) return Refusal.Invalid.Because($"There are at most {MostTags} tags of 1 to {LongestTag} characters").At("tags");
            next = next with { Tags = Tags.Count == 0 ? null : [.. Tags.Distinct(StringComparer.Ordinal)] };
        }
        if (Attributes is not null)
        {
            var merged = new JsonObject((old.Attributes ?? []).Where(one => !Attributes.ContainsKey(one.Key)).Concat(Attributes.Where(one => one.Value is not null)).Select(one => KeyValuePair.Create(one.Key, one.Value?.DeepClone())));
            if (merged.Count > MostAttributes || merged.ToJsonString().Length > MostAttributeText || merged.Any(one => one.Key.Length is 0 or > 100))
                return Refusal.Invalid.Because($"There are at most {MostAttributes} attributes, of {MostAttributeText >> 10} KB in all, with names of 1 to 100 characters").At("attributes");
            next = next with { Attributes = merged.Count == 0 ? null : merged };
        }
        if (Language is not null)
        {
            if (Language is not ("" or "en" or "ru")) return Refusal.Invalid.Because("language is en or ru").At("language");
            next = next with { Language = Language.Length == 0 ? null : Language };
        }
        if (Zone is not null)
        {
            if (Zone.Length > 0 && !(Zone.Length <= 64 && TimeZoneInfo.TryFindSystemTimeZoneById(Zone, out _))) return Refusal.Invalid.Because("zone is a time zone as in Europe/Moscow").At("zone");
            next = next with { Zone = Zone.Length == 0 ? null : Zone };
        }
        if (Identities is null) return next;
        var kept = Kept(account, directory);
        return kept.Ok ? next with { Identities = kept.Value } : kept.Refusal;
    }

    Result<IReadOnlyList<Identity>?> Kept(Account? account, UserDirectory directory)
    {
        if (Identities!.Count > MostIdentities) return Refusal.Invalid.Because($"There are at most {MostIdentities} identities").At("identities");
        var kept = new List<Identity>();
        foreach (var one in Identities)
        {
            if (one?.Name is null || one.Name.Length > 200 || one.Name.Any(char.IsControl)) return Refusal.Invalid.Because("A display name has at most 200 characters, and no line breaks or control characters").At("identities");
            if (!Names.TryAddress(one.Address ?? "", out var address)) return Refusal.BadAddress.Because($"\"{one.Address}\" is not a valid address").At("identities");
            if (account is null ? !Names.TryAddress(one.Address!, out _) : !directory.MaySendAs(account, address)) return Refusal.MayNotSendAs.Because($"{account!.Address} may not write as {address}").At("identities");
            kept.Add(new(address.ToString(), one.Name.Trim()));
        }
        return new(kept.Count == 0 ? null : kept, null);
    }

    /// <summary>A day or a time; "" is none.</summary>
    /// <param name="zone">Of the day.</param>
    /// <param name="isEnd">Something ends then: with the day's last moment, not with its first.</param>
    internal static bool TryTime(string text, TimeZoneInfo zone, bool isEnd, out DateTimeOffset? when)
    {
        when = null;
        if (text.Length == 0) return true;
        if (Days.TryParse(text, zone, out var begin, out var end)) when = isEnd ? end : begin;
        else if (text.Contains('T', StringComparison.Ordinal) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) when = time.ToUniversalTime();
        return when is not null;
    }
}
