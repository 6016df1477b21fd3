using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>What a password that somebody chooses for himself must be: long enough, none that everybody tries first, and not his own address.</summary>
static class PasswordPolicy
{
    // what lists of stolen passwords begin with, in both keyboards, reduced as Plain does it
    static readonly FrozenSet<string> common = """
        password passwort parol пароль qwerty qwertyuiop qwertyui asdfghjkl asdfgh zxcvbnm qazwsx qazwsxedc йцукен йцукенг йцукенгшщз фывапролджэ ячсмить
        iloveyou letmein letmeinnow welcome welcomeback admin administrator root login master superman batman dragon monkey football baseball basketball
        sunshine princess shadow michael jennifer jordan computer internet samsung google yandex test testtest testing changeme changemenow default guest
        secret topsecret access abc abcabc abcdef abcdefg abcdefgh abcdefghi trustno hunter hello helloworld whatever freedom starwars pokemon naruto
        natasha nikita andrey dmitriy sergey alexander alexandr marina любовь привет наташа максим андрей сергей солнышко админ администратор
        correcthorsebatterystaple mail email postmaster school course teacher student школа курс учитель ученик mypassword thisismypassword
        """.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Plain).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>What <see cref="Check"/> asks for, for people.</summary>
    public static string Words(int least, bool russian) => russian
        ? $"Не меньше {least} знаков и не из тех, что пробуют первыми; не похож на адрес и имя. Хороши несколько слов подряд."
        : $"At least {least} characters, none that everybody tries first, and not like the address or the name. Several words in a row are good.";

    /// <param name="least">Characters.</param>
    public static Refusal? Check(string password, Account account, int least)
    {
        if (new StringInfo(password).LengthInTextElements < least) return Refusal.Invalid.Because($"A password has at least {least} characters").At("password");
        if (password.Distinct().Count() < 5 || IsRun(password)) return Refusal.Invalid.Because("This password is too simple: take one with more different characters").At("password");
        var plain = Plain(password);
        if (common.Contains(plain))
            return Refusal.Invalid.Because("This password is one of those that everybody tries first").At("password");
        foreach (var own in new[] { account.Address.LocalPart, account.Address.ToString(), account.Address.Domain, account.Name })
            if (Plain(own) is { Length: >= 4 } known && plain.Contains(known, StringComparison.Ordinal) && plain.Length - known.Length < 6)
                return Refusal.Invalid.Because("This password is too much like the address or the name").At("password");
        return null;
    }

    // 12345678, abcdefgh, 87654321
    static bool IsRun(string text)
    {
        int up = 0, down = 0;
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == text[i - 1] + 1 || (text[i] == '0' && text[i - 1] == '9')) up++;
            if (text[i] == text[i - 1] - 1 || (text[i] == '9' && text[i - 1] == '0')) down++;
        }
        return Math.Max(up, down) >= text.Length - 2;
    }

    /// <summary>Letters alone, in small, with what people write for them undone: P@ssw0rd-2024! is "password".</summary>
    static string Plain(string text)
    {
        var letters = new StringBuilder(text.Length);
        foreach (var c in text.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '!', '.', '?', '-', '_', '*', '#', ' ').ToLowerInvariant())
        {
            var letter = c switch { '@' or '4' => 'a', '0' => 'o', '1' or '!' => 'i', '3' => 'e', '5' or '$' => 's', '7' => 't', 'ё' => 'е', _ => c };
            if (char.IsLetter(letter)) letters.Append(letter);
        }
        return letters.ToString();
    }
}
