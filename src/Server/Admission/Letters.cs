using System.Globalization;

namespace CbaMail.Admission;

/// <summary>What the letters say, in Russian and English.</summary>
static class Letters
{
    static string Day(DateTimeOffset time, bool russian) => time.ToString(russian ? "dd.MM.yyyy HH:mm' UTC'" : "yyyy-MM-dd HH:mm' UTC'", CultureInfo.InvariantCulture);

    /// <param name="address">That is given; or the domain where the person picks a name.</param>
    public static Letter Invitation(string language, string by, string address, bool picks, string link, DateTimeOffset expires, bool approval)
    {
        var russian = language == "ru";
        var until = Day(expires, russian);
        return russian
            ? new(language, picks ? $"Приглашение: почта на {address}" : $"Приглашение: почтовый ящик {address}",
                [picks ? $"{by} приглашает вас завести почтовый ящик на {address}." : $"{by} приглашает вас завести почтовый ящик {address}.",
                    "Откройте ссылку, выберите пароль — и ящик ваш." + (approval ? " Перед этим заявку подтвердит администратор." : "")],
                "Завести почтовый ящик", link, [$"Ссылка действует до {until}. Не пересылайте её: ею сможет воспользоваться любой.", "Если вы не ждали приглашения, просто удалите это письмо."])
            : new(language, picks ? $"Invitation: mail at {address}" : $"Invitation: the mailbox {address}",
                [picks ? $"{by} invites you to a mailbox at {address}." : $"{by} invites you to the mailbox {address}.",
                    "Open the link and choose a password; the mailbox is yours then." + (approval ? " An administrator confirms it before." : "")],
                "Take the mailbox", link, [$"The link is good until {until}. Do not pass it on: whoever has it can use it.", "If you did not expect an invitation, just delete this message."]);
    }

    public static Letter Confirm(string language, string address, string link, DateTimeOffset expires) => language == "ru"
        ? new(language, $"Подтвердите резервный адрес для {address}", [$"Этот адрес указан как резервный для почтового ящика {address}: на него придёт ссылка, если забудется пароль.", "Подтвердите, что он ваш."],
            "Подтвердить адрес", link, [$"Ссылка действует до {Day(expires, true)}.", $"Если ящик {address} не ваш, удалите это письмо: без подтверждения ничего не произойдёт."])
        : new(language, $"Confirm the recovery address for {address}", [$"This address was given as the recovery address of the mailbox {address}: a link comes here if the password is forgotten.", "Confirm that it is yours."],
            "Confirm the address", link, [$"The link is good until {Day(expires, false)}.", $"If the mailbox {address} is not yours, delete this message: nothing happens without your confirmation."]);

    public static Letter Reset(string language, string address, string link, int minutes) => language == "ru"
        ? new(language, $"Новый пароль для {address}", [$"Для почтового ящика {address} запрошен новый пароль. Задайте его по этой ссылке:"],
            "Задать новый пароль", link, [$"Ссылка действует {minutes} мин. и только один раз.", "Если вы этого не просили, удалите письмо: пароль останется прежним. Если такие письма повторяются, сообщите администратору."])
        : new(language, $"A new password for {address}", [$"Somebody asked for a new password of the mailbox {address}. Choose it by this link:"],
            "Choose a new password", link, [$"The link is good for {minutes} minutes, and once.", "If it was not you, delete this message: the password stays as it is. If such messages go on, tell your administrator."]);

    public static Letter ResetElsewhere(string language, string address) => language == "ru"
        ? new(language, $"Пароль {address} меняют в другом месте", [$"Для почтового ящика {address} запрошен новый пароль. Этот пароль хранится не на почтовом сервере, а в каталоге вашей организации, и почтовый сервер не может его сменить.",
            "Смените его там, где входите в компьютер или на портал, или попросите администратора.", "Если вы этого не просили, удалите письмо: пароль останется прежним."])
        : new(language, $"The password of {address} is changed elsewhere", [$"Somebody asked for a new password of the mailbox {address}. It is kept by the directory of your organization and not by the mail server, which cannot change it.",
            "Change it where you sign in to your computer or portal, or ask your administrator.", "If it was not you, delete this message: the password stays as it is."]);

    public static Letter Changed(string language, string address, DateTimeOffset at, string from) => language == "ru"
        ? new(language, $"Пароль {address} изменён", [$"Пароль почтового ящика {address} изменён по ссылке с резервного адреса: {Day(at, true)}, с адреса {from}.", "Все открытые сеансы завершены. В почтовых программах введите новый пароль.", "Если это были не вы, сразу обратитесь к администратору."])
        : new(language, $"The password of {address} was changed", [$"The password of the mailbox {address} was changed by a link from the recovery address: {Day(at, false)}, from {from}.", "All open sessions have ended. Enter the new password in your mail programs.", "If it was not you, tell your administrator at once."]);

    public static Letter Approved(string language, string address, string link, string? confirm) => language == "ru"
        ? new(language, $"Почтовый ящик {address} открыт", [$"Ваша заявка одобрена: почтовый ящик {address} открыт. Входите с паролем, который вы выбрали.",
            .. confirm is null ? [] : new[] { $"Подтвердите и этот адрес как резервный, он пригодится, если забудется пароль:\r\n{confirm}" }], "Страница сервера", link)
        : new(language, $"The mailbox {address} is open", [$"You were let in: the mailbox {address} is open. Sign in with the password that you have chosen.",
            .. confirm is null ? [] : new[] { $"Confirm this address as your recovery address too; it helps when the password is forgotten:\r\n{confirm}" }], "The server's page", link);

    public static Letter Refused(string language, string address, string reason) => language == "ru"
        ? new(language, $"Заявка на {address} отклонена", [$"Ваша заявка на почтовый ящик {address} отклонена.", .. reason.Length > 0 ? new[] { "Причина: " + reason } : []])
        : new(language, $"No mailbox {address}", [$"Your application for the mailbox {address} was refused.", .. reason.Length > 0 ? new[] { "The reason: " + reason } : []]);

    /// <param name="address">That he waits for.</param>
    /// <param name="again">That he has asked for now.</param>
    public static Letter WaitsAlready(string language, string address, DateTimeOffset since, string again) => language == "ru"
        ? new(language, $"Ваша заявка на {address} уже ждёт", [$"С этим адресом для ответа ещё раз попросили почтовый ящик: {again}. Вторая заявка не принята: первая, на {address} от {Day(since, true)}, ещё ждёт решения администратора.",
            "Нужно другое имя — дождитесь ответа или напишите администратору.", "Если вы ничего не просили, удалите это письмо."])
        : new(language, $"Your application for {address} waits already", [$"A mailbox was asked for again with this address for the answer: {again}. That was not taken: the first application, for {address} of {Day(since, false)}, still waits for an administrator.",
            "If you need another name, wait for the answer or write to the administrator.", "If you have not asked for anything, delete this message."]);

    /// <summary>Nobody knows the language of those who read it: both.</summary>
    public static Letter Waiting(string domain, int count, IReadOnlyList<(long Id, string Address, string Name)> newest) => new("en", $"Заявки на почту: {count} / Sign-ups waiting: {count} ({domain})",
        [$"Ждут решения заявки на почтовые ящики в домене {domain}: {count}.\r\nPeople who wait to be let into the domain {domain}: {count}.",
            string.Join("\r\n", newest.Select(one => $"{one.Id}  {one.Address}  {one.Name}")),
            "cbamail sign-up list\r\ncbamail sign-up approve ID\r\ncbamail sign-up refuse ID --reason TEXT"]);
}
