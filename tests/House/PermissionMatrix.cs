using System.Text;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Http;

namespace CbaMail.Tests.House;

/// <summary>docs/*/permissions.md, made of the permissions and of the routes that ask for them.</summary>
internal static class PermissionMatrix
{
    public static string Write(bool russian)
    {
        var page = new StringBuilder(russian ? """
            # Разрешения

            Страница составлена из исходного кода (`src/Server/Authorization/Permission.cs`) и проверяется тестом, который обходит каждый маршрут API с каждой ролью.

            Роли по возрастанию прав: пользователь (`user`), ведущий курсов (`course-manager`), администратор домена (`domain-admin`), владелец сервера (`admin`). Роль, домены, курсы и отдельные разрешения назначает владелец: `cbamail account set ADDRESS --role … --domains … --courses … --grant … --withhold …`. Ключу API можно дать часть разрешений его владельца (`cbamail key add NAME --account ADDRESS --permission …`). Без `roles.write` такой ключ меняет по `accounts.write` и `credentials.write` только обычных пользователей: иначе, задав пароль, он получил бы чужую роль; ни по какому ключу нельзя создать ключ, который может больше, годен в большем числе сетей или дольше его самого.

            На что распространяется разрешение: **всюду**; **домены** — свой домен и назначенные; **курсы** — назначенные курсы; **своё** — собственная учётная запись. Нельзя изменить учётную запись, роль которой не ниже собственной, и нельзя дать больше прав, чем имеешь сам.

            | разрешение | что можно | владелец | администратор домена | ведущий курсов | пользователь | маршруты |
            |---|---|---|---|---|---|---|

            """ : """
            # Permissions

            This page is made of the source (`src/Server/Authorization/Permission.cs`) and kept true by a test that walks every route of the API with every role.

            Roles, in rising order: user (`user`), course manager (`course-manager`), domain administrator (`domain-admin`), owner of the server (`admin`). The owner gives roles, domains, courses and single permissions: `cbamail account set ADDRESS --role ... --domains ... --courses ... --grant ... --withhold ...`. A key of the API may have a part of its owner's permissions (`cbamail key add NAME --account ADDRESS --permission ...`). Without `roles.write` such a key changes by `accounts.write` and `credentials.write` plain users only, since a password of its own choice would give it a role; no key makes one that reaches further, can be used from more networks or lasts longer than itself.

            How far a permission reaches: **everywhere**; **domains**: one's own and those given; **courses**: those given; **own**: one's own account. Nobody changes an account whose role is not below his own, nor gives more than he has.

            | permission | what it allows | owner | domain administrator | course manager | user | routes |
            |---|---|---|---|---|---|---|

            """);
        foreach (var permission in Permissions.All)
        {
            var routes = ApiRoutes.All.Where(route => route.Permission == permission).Select(route => $"`{route.Method} {route.Path.Replace(":long", "", StringComparison.Ordinal)}`");
            page.Append("| `").Append(permission.Name).Append("` | ").Append(russian ? permission.Russian : permission.English);
            foreach (var role in new[] { Role.Admin, Role.DomainAdmin, Role.CourseManager, Role.User }) page.Append(" | ").Append(Word(permission.By(role), russian));
            page.Append(" | ").Append(string.Join(", ", routes)).Append(" |\n");
        }
        return page.ToString().ReplaceLineEndings("\n");
    }

    private static string Word(Reach reach, bool russian) => reach switch
    {
        Reach.Server => russian ? "всюду" : "everywhere",
        Reach.Domains => russian ? "домены" : "domains",
        Reach.Courses => russian ? "курсы" : "courses",
        Reach.Own => russian ? "своё" : "own",
        _ => "",
    };
}
