"""Languages: the same concepts in other languages than English: what overrides, what frees, what asks for the prompt."""

from __future__ import annotations

from yett.detectors.injection.language import Rule, rule


def _of(
    code: str,
    override: tuple[str, ...],
    persona: tuple[str, ...],
    extract: tuple[str, ...],
    hints: tuple[str, ...],
    *,
    words: bool = True,
) -> tuple[Rule, ...]:
    return (
        rule(f"override-{code}", "override", 0.85, 0.95, *override, words=words),
        rule(f"persona-{code}", "persona", 0.6, 0.8, *persona, words=words),
        rule(f"extract-{code}", "extraction", 0.7, 0.8, *extract, words=words),
        rule(f"hint-{code}", "hint", 0.3, 0.6, *hints, words=words),
    )


LANGUAGES: tuple[Rule, ...] = (
    *_of(
        "de",
        (
            "(?:ignorier(?:e|en|st|t)?|vergiss|vergesst|vergessen|missachte[nt]?|umgehe?n?|überschreibe?n?|verwirf|verwerfen|übergehe?n?|beachte[nt]?|befolge[nt]?|setze) ~ (?:vorherig|vorig|bisherig|früher|vorangegangen|vorangehend|obig|ursprünglich|zuvor gegeben|vorangestellt|alt|vorstehend|vorausgegangen)e?[nrsm]? ~ (?:anweisung|instruktion|regel|befehl|vorgabe|richtlinie|prompt|anleitung|eingabe|nachricht|anordnung|vorschrift|text|kontext)(?:en|n|s|e)?",
            "(?:ignorier(?:e|en)|vergiss|vergessen sie|missachte|umgehe|überschreibe) (?:alle |all |sämtliche |bitte )?(?:deine|ihre|die|eure)?n? ~ (?:anweisungen|instruktionen|regeln|richtlinien|vorgaben|einschränkungen|programmierung|sicherheitsrichtlinien|beschränkungen|systemanweisungen|prompts?)",
            "(?:ignorier(?:e|en)|vergiss|vergessen sie) (?:alles|was) (?:was )?(?:davor|zuvor|oben|vorher|bisher|dir|ihnen|du|ich|sie)",
        ),
        (
            "(?:du bist|sie sind|agiere|verhalte dich|handle|antworte|spiele) ~ (?:uneingeschränkt|unzensiert|ungefiltert|unbeschränkt|ohne (?:jegliche |irgendwelche |alle )?(?:einschränkungen|regeln|filter|zensur|moral|ethik|grenzen|richtlinien))(?:e[rnsm]?|)",
            "(?:du bist|sie sind) (?:jetzt|nun|ab sofort) (?:dan|nicht mehr|ein unzensiert|frei|im entwicklermodus|kein)",
            "(?:entwicklermodus|entwickler modus|admin modus|adminmodus|debug modus|gott modus|wartungsmodus) ?(?:aktiviert|aktivieren|ein|an|aktiv|einschalten)?",
            "gib(?:st)? vor dan zu sein",
        ),
        (
            "(?:zeige?n?|verrate?n?|nenne?n?|gib|geben sie|offenbare?n?|wiederhole?n?|druck(?:e|en)|schreibe?n?|teile?n?|sag(?:e|en)?|übersetze?n?|enthülle?n?|was (?:ist|sind|steht|war|waren|lautet)|wie lautet|wie lauten) ~ (?:dein|ihr|den|die|das|eur)(?:e[nrsm]?)? ~ (?:system ?prompts?|systemanweisung(?:en)?|system ?nachricht|initialen? (?:prompt|anweisungen)|ursprünglichen? (?:anweisungen|prompt|instruktionen)|versteckten? (?:anweisungen|instruktionen|prompt)|geheimen? (?:anweisungen|instruktionen|regeln)|internen? (?:anweisungen|regeln|richtlinien)|anweisungen|instruktionen|passwort(?:er)?|geheimnis|prompts?)",
            "(?:wiederhole|gib|schreibe|drucke) ~ (?:text|alles|wörter|worte) ~ (?:oben|oberhalb|davor|zuvor|darüber)",
        ),
        (
            "(?:sage?|verrate?|erzähle?|teile?|informiere?|erwähne?) ~ (?:dem |den |der )?(?:benutzer|nutzer|anwender|user|kunden) ~ (?:nicht|nichts|kein)",
            "(?:ab jetzt|ab sofort|von nun an|von jetzt an) (?:bist|wirst|antwortest|musst|sollst|ignorier|handelst|agierst)",
            "(?:neue|wichtige|dringende|aktualisierte) (?:system ?)?(?:anweisung|instruktion|aufgabe)(?:en)?",
            "(?:achtung|hinweis|nachricht|anweisung(?:en)?|wichtig) (?:an|für) (?:den |die |das |alle )?(?:ki|ai|assistent(?:en)?|llm|sprachmodell|chatbot|agent(?:en)?)",
            "(?:sicherheitsfilter|inhaltsfilter|filter|sicherheitsmaßnahmen|einschränkungen|beschränkungen|moderation) ~ (?:deaktivier(?:e|en|t)|umgeh(?:e|en)|ausschalten|abschalten|aufheben|entfernen)",
            "stattdessen (?:sage?|schreibe?|antworte|gib|sende|rufe)",
            "(?:weigere|entschuldige|verweigere) dich nicht|ohne (?:ethische|moralische) (?:bedenken|grenzen|einschränkungen)",
        ),
    ),
    *_of(
        "fr",
        (
            "(?:ignore[zr]?|oublie[zr]?|néglige[zr]?|contourne[zr]?|outrepasse[zr]?|annule[zr]?|écrase[zr]?|efface[zr]?|fais abstraction|faites abstraction|ne tiens? pas compte|ne tenez pas compte|ne suis (?:pas|plus)|ne suivez (?:pas|plus)|passe outre|mets de côté) ~ (?:instructions?|consignes?|directives?|règles?|ordres?|commandes?|prompts?|indications?|messages?|contexte|restrictions?|contraintes?) ~ (?:précédent|antérieur|ci dessus|initial|d'avant|original|d'origine|qui précède|données|reçues|système|de sécurité|préalable|plus haut|internes)(?:e?s|e|aux|ales)?",
            "(?:ignore[zr]?|oublie[zr]?|contourne[zr]?|outrepasse[zr]?) (?:toutes? |tous |tout )?(?:les |tes |vos |ces )?(?:précédentes?|anciennes?|antérieures?|tes|vos|toutes) ~ (?:instructions?|consignes|directives|règles|ordres|restrictions|filtres|limitations)",
            "(?:ignore[zr]?|oublie[zr]?) (?:tout |tous )?(?:ce qui précède|ce que (?:je|tu|vous|l'on|on)|tout ce|le texte (?:ci dessus|précédent))",
        ),
        (
            "(?:tu es|vous êtes|agis|agissez|fais semblant|comporte toi|réponds|joue) ~ (?:sans (?:aucune? )?(?:restrictions?|limites?|censure|filtres?|règles?|morale|éthique|contraintes?)|non censurée?|illimitée?|débridée?|libérée?)",
            "(?:tu es|vous êtes) (?:maintenant|désormais|à présent) (?:dan|libre|en mode|un pirate|une ia|un hacker|plus)",
            "(?:mode (?:développeur|admin(?:istrateur)?|débogage|debug|dieu|maintenance|jailbreak|sans restriction)) ?(?:activée?|activer|active)?",
        ),
        (
            "(?:affiche[zr]?|montre[zr]?|révèle[zr]?|révéler|donne[zr]?|répète[zr]?|répéter|écri[svt](?:ez)?|imprime[zr]?|divulgue[zr]?|dis|dites|partage[zr]?|communique[zr]?|traduis|quel(?:le)?s? (?:est|sont|était|étaient)) ~ (?:ton|ta|tes|votre|vos|le|la|les|l) ~ (?:prompt (?:système|initial|complet|secret|caché)|invite (?:système|initiale)|instructions? (?:système|initiales?|secrètes?|cachées?|internes?|d'origine|originales?|précédentes?|de départ)|message système|consignes? (?:initiales?|système|secrètes?|internes?)|règles (?:internes|secrètes|cachées)|mot de passe|directives (?:internes|initiales|secrètes)|configuration (?:interne|système)|system prompt|tes instructions|vos instructions|prompt|instructions)",
            "(?:répète[zr]?|affiche[zr]?|écris|recopie) ~ (?:texte|tout|mots) ~ (?:ci dessus|au dessus|précède|plus haut)",
        ),
        (
            "ne (?:dis|dites|révèle[zr]?|mentionne[zr]?|parle[zr]?|informe[zr]?|préviens|prévenez|montre[zr]?) ~ (?:pas|rien|jamais) ~ (?:utilisateur|client|usager)",
            "(?:à partir de maintenant|désormais|dorénavant) (?:tu|vous|ignore|réponds|agis)",
            "(?:nouvelles?|importantes?|urgentes?) (?:instructions?|consignes?|directives?)",
            "(?:attention|note|message|instructions?|consigne) (?:à |pour |aux )(?:l'|les? |la |toute )?(?:ia|assistant|assistants|agent|modèle|llm|chatbot)",
            "(?:désactive[zr]?|contourne[zr]?|désactiver|lève[zr]?) ~ (?:filtres?|sécurité|restrictions?|modération|garde fous?|protections?)",
            "(?:sans|ignore[zr]?) ~ (?:considérations?|limites?|préoccupations?) (?:éthiques?|morales?|légales?)",
            "(?:à la place|au lieu de cela|plutôt) (?:dis|écris|réponds|envoie|affiche)",
        ),
    ),
    *_of(
        "es",
        (
            "(?:ignora[rd]?|ignore[ns]?|olvida[rd]?|olvide[ns]?|descarta[r]?|descarte[n]?|omite|omita[n]?|omitir|desobedece|pasa por alto|pase por alto|haz caso omiso de|no (?:sigas|siga|tengas en cuenta|obedezcas|hagas caso)|anula[r]?|anule|sobrescribe|desestima|elude|salta) ~ (?:instrucci(?:ó|o)n(?:es)?|indicaciones|órdenes|directrices|reglas|normas|directivas|comandos|mensajes?|prompts?|contexto|texto|restricciones|pautas|políticas) ~ (?:anteriores?|previ[ao]s?|iniciales|originales?|precedentes?|de arriba|dadas|recibid[ao]s|del sistema|pasad[ao]s|de seguridad|antes|existentes|internas|superiores)",
            "(?:ignora[r]?|ignore[ns]?|olvida[r]?|olvide[ns]?|descarta|omite|anula) (?:todas? |todos |todo )?(?:las |los |tus |sus |mis |estas )?(?:anteriores|previas|tus|sus|todas las) ~ (?:instrucciones|órdenes|reglas|restricciones|directrices|filtros|indicaciones|limitaciones|normas|políticas)",
            "(?:ignora[r]?|olvida[r]?|olvide) (?:todo )?(?:lo (?:anterior|dicho|que)|cuanto|lo que (?:te|se|he|dije))",
        ),
        (
            "(?:eres|actúa|actúe|compórtate|finge|responde|imagina que eres|simula) ~ (?:sin (?:ninguna? |ningún )?(?:restricciones|restricción|límites?|censura|filtros?|reglas|moral|ética|limitaciones)|no censurad[ao]|ilimitad[ao]|desbloquead[ao])",
            "(?:ahora|a partir de ahora) (?:eres|serás|actuarás|actúas) ~ (?:dan|libre|un hacker|modo|una ia|otro|administrador)",
            "modo (?:desarrollador|dios|administrador|admin|depuración|debug|mantenimiento|jailbreak|sin restricciones) ?(?:activad[ao]|activar|activo)?",
        ),
        (
            "(?:muestra|muéstrame|muestre|revela|revele|revélame|dime|dígame|di|imprime|imprima|repite|repita|escribe|escriba|comparte|enseña|dame|deme|traduce|cuál(?:es)? (?:es|son|fue|fueron|era|eran)|qué (?:dice|dicen|instrucciones)) ~ (?:tu|tus|su|sus|el|la|las|los) ~ (?:prompt (?:del sistema|inicial|de sistema|completo|oculto)|instrucciones (?:iniciales|del sistema|de sistema|ocultas|secretas|internas|originales|previas|anteriores|completas)|mensaje (?:del|de) sistema|indicaciones (?:iniciales|del sistema)|contraseña|reglas (?:internas|ocultas|secretas)|configuración (?:interna|inicial|del sistema)|system prompt|directrices (?:internas|ocultas)|instrucciones|prompt)",
            "(?:repite|escribe|muestra|copia|imprime) ~ (?:texto|todo|palabras) ~ (?:de arriba|anterior|arriba|antes)",
        ),
        (
            "no (?:le )?(?:digas|diga|reveles|revele|menciones|informes|cuentes|avises|muestres|notifiques) ~ (?:usuario|cliente|humano)",
            "(?:a partir de ahora|desde ahora|de ahora en adelante) (?:tú|eres|debes|ignora|responde|actúa|vas|usted)",
            "(?:nuevas?|importantes?|urgentes?) (?:instrucciones|instrucción|órdenes|directrices|tareas?)",
            "(?:atención|nota|mensaje|instrucciones|aviso) (?:para |a |al )(?:la |el |los |cualquier |toda )?(?:ia|asistente|asistentes|agente|modelo|llm|chatbot|ai)",
            "(?:desactiva|deshabilita|elude|evita|elimina|salta|burla)[r]? ~ (?:filtros?|seguridad|restricciones|moderación|protecciones|salvaguardas|censura)",
            "sin (?:considerar |tener en cuenta |importar )?~ (?:ética|moral|legales|éticas|morales|consecuencias)",
            "en (?:su lugar|vez de eso|lugar de eso) (?:di|escribe|responde|envía|muestra|imprime)",
        ),
    ),
    *_of(
        "it",
        (
            "(?:ignora(?:re|te)?|ignori|dimentica(?:re|te)?|trascura|scarta|annulla|sovrascrivi|non (?:seguire|considerare|tenere conto)|disattendi|tralascia|aggira|elimina) ~ (?:istruzion[ei]|indicazioni|regole|direttive|ordini|comandi|messaggi|prompt|contesto|testo|restrizioni|linee guida|vincoli) ~ (?:precedent[ei]|inizial[ei]|original[ei]|sopra|di sopra|ricevut[ei]|di sistema|del sistema|date|anterior[ei]|di sicurezza|fornite|prima|interne)",
            "(?:ignora(?:re|te)?|dimentica(?:re|te)?|scarta|aggira) (?:tutte? |tutti |tutto )?(?:le |i |gli )?(?:precedenti|tue|vostre|sue) ~ (?:istruzioni|regole|direttive|restrizioni|indicazioni|linee guida|filtri|ordini)",
            "(?:ignora|dimentica) (?:tutto )?(?:ciò che|quello che|quanto) (?:precede|ti|ho|è|sopra|detto|scritto)",
        ),
        (
            "(?:sei|agisci|comportati|fingi|rispondi|immagina di essere) ~ (?:senza (?:alcuna? |nessuna? )?(?:restrizioni|limiti|censura|filtri|regole|morale|etica|vincoli)|non censurat[oa]|illimitat[oa])",
            "(?:ora|adesso|da ora) (?:sei|sarai|agirai) ~ (?:dan|libero|un hacker|in modalità|un'altra)",
            "modalità (?:sviluppatore|dio|amministratore|admin|debug|manutenzione|jailbreak|senza restrizioni) ?(?:attiv[ao]|attivata)?",
        ),
        (
            "(?:mostra|mostrami|rivela|rivelami|dimmi|stampa|ripeti|scrivi|condividi|dammi|elenca|traduci|qual(?:i)? (?:è|sono|era|erano)|quale è|cosa dice) ~ (?:tuo|tua|tue|tuoi|il|la|le|suo|sue|vostre) ~ (?:prompt (?:di sistema|iniziale|del sistema|completo|nascosto)|istruzioni (?:iniziali|di sistema|del sistema|nascoste|segrete|interne|originali|precedenti|complete)|messaggio di sistema|password|regole (?:interne|nascoste|segrete)|configurazione (?:interna|di sistema)|system prompt|direttive (?:interne|iniziali)|istruzioni|prompt)",
            "(?:ripeti|scrivi|mostra|copia|stampa) ~ (?:testo|tutto|parole) ~ (?:sopra|precedente|precede)",
        ),
        (
            "non (?:dire|rivelare|menzionare|informare|avvisare|mostrare|comunicare|far sapere) ~ (?:utente|cliente|umano)",
            "(?:d'ora in poi|da ora in poi|da questo momento) (?:sei|devi|ignora|rispondi|agisci|tu)",
            "(?:nuove|importanti|urgenti) (?:istruzioni|direttive|regole)",
            "(?:attenzione|nota|messaggio|istruzioni|avviso) (?:per |a |all'|agli )(?:la |il |l'|gli |ogni )?(?:ia|assistente|assistenti|agente|modello|llm|chatbot|ai)",
            "(?:disattiva|disabilita|aggira|elimina|rimuovi|evita) ~ (?:filtri|filtro|sicurezza|restrizioni|moderazione|protezioni|censura)",
            "senza (?:considerazioni |limiti )?(?:etiche|etici|morali|etica|morale)",
            "invece (?:di questo |di ciò )?(?:scrivi|rispondi|invia|mostra|stampa)",
        ),
    ),
    *_of(
        "nl",
        (
            "(?:negeer|negeren|vergeet|vergeten|sla|omzeil|overschrijf|veronachtzaam|laat) ~ (?:vorige|voorgaande|eerdere|bovenstaande|oorspronkelijke|vroegere|voorafgaande|bestaande|initiële|jouw|je|uw|alle) ~ (?:instructies?|opdrachten|regels|richtlijnen|aanwijzingen|prompts?|bevelen|berichten|beperkingen|commando'?s|tekst|context)",
            "(?:negeer|vergeet) (?:alles|wat) (?:wat )?(?:hierboven|ik|je|jou|u|eerder|hiervoor|daarvoor|er)",
            "volg ~ (?:instructies|regels|richtlijnen) (?:niet|niet meer|niet langer)",
        ),
        (
            "(?:je bent|jij bent|u bent|gedraag je|doe alsof|handel|antwoord|speel) ~ (?:zonder (?:enige )?(?:beperkingen|regels|filters|censuur|moraal|ethiek|grenzen)|ongecensureerde?|onbeperkte?|ongefilterde?)",
            "(?:je bent|jij bent) (?:nu|vanaf nu) (?:dan|vrij|een hacker|in|geen)",
            "(?:ontwikkelaarsmodus|ontwikkelmodus|beheerdersmodus|debug ?modus|onderhoudsmodus|god ?modus)",
        ),
        (
            "(?:toon|laat|onthul|geef|vertel|herhaal|schrijf|print|deel|zeg|vertaal|wat (?:is|zijn|was|waren|staat)) ~ (?:je|jouw|uw|de|het|mij|me) ~ (?:systeem ?prompt|systeeminstructies|systeembericht|(?:oorspronkelijke|geheime|verborgen|interne|initiële|eerste) (?:instructies|prompt|regels|richtlijnen)|wachtwoord|instructies|prompt)",
            "(?:herhaal|schrijf|toon|kopieer) ~ (?:tekst|alles|woorden) ~ (?:hierboven|boven)",
        ),
        (
            "(?:vertel|zeg|meld|informeer|laat) ~ (?:gebruiker|klant) ~ (?:niet|niets|geen)",
            "(?:vanaf nu|voortaan|van nu af aan) (?:ben|moet|negeer|antwoord|zul|je|jij)",
            "(?:nieuwe|belangrijke|dringende) (?:instructies?|opdrachten|opdracht)",
            "(?:bericht|instructies?|let op|opmerking|aandacht) (?:aan|voor) (?:de |het |alle |elke )?(?:ai|assistent|agent|llm|taalmodel|chatbot|model)",
            "(?:schakel|omzeil|verwijder|zet) ~ (?:filters?|veiligheids\\w{0,12}|beperkingen|beveiliging|moderatie)",
        ),
    ),
    *_of(
        "pt",
        (
            "(?:ignore|ignora[r]?|ignorem|esqueca|esquecer|desconsidere|desconsiderar|descarte|desobedeca|nao siga|anule|sobrescreva|contorne|apague|pule|despreze) ~ (?:instrucoes|instrucao|ordens|diretrizes|regras|comandos|mensagens|prompts?|contexto|texto|restricoes|orientacoes|politicas) ~ (?:anteriores?|previas?|iniciais|originais|acima|recebidas|do sistema|passadas|de seguranca|dadas|existentes|internas)",
            "(?:ignore|ignora[r]?|esqueca|desconsidere|contorne) (?:todas? |todos |tudo )?(?:as |os |suas |seus |tuas )?(?:anteriores|suas|tuas|todas as|previas) ~ (?:instrucoes|regras|restricoes|diretrizes|ordens|limitacoes|filtros|orientacoes)",
            "(?:ignore|esqueca) (?:tudo )?(?:o que|acima|isso) (?:foi|eu|veio|voce|lhe|te|esta|disse)",
        ),
        (
            "(?:voce e|tu es|aja|atue|finja|responda|comporte se|imagine que e) ~ (?:sem (?:nenhuma? |quaisquer )?(?:restricoes|restricao|limites?|censura|filtros?|regras|moral|etica|limitacoes)|nao censurad[ao]|ilimitad[ao])",
            "(?:agora|a partir de agora) (?:voce e|voce sera|tu es|voce esta) ~ (?:dan|livre|um hacker|modo|uma ia|em modo)",
            "modo (?:desenvolvedor|deus|administrador|admin|depuracao|debug|manutencao|jailbreak|sem restricoes) ?(?:ativad[ao]|ativo)?",
        ),
        (
            "(?:mostre|mostra|revele|revela|diga|me diga|imprima|repita|escreva|compartilhe|exiba|me de|liste|traduza|quais? (?:e|sao|foi|foram|era|eram)|qual e) ~ (?:seu|sua|suas|seus|teu|tua|tuas|o|a|as|os) ~ (?:prompt (?:do sistema|inicial|de sistema|completo|oculto)|instrucoes (?:iniciais|do sistema|de sistema|ocultas|secretas|internas|originais|anteriores|completas)|mensagem (?:do|de) sistema|senha|regras (?:internas|ocultas|secretas)|configuracao (?:interna|do sistema)|system prompt|diretrizes (?:internas|ocultas)|instrucoes|prompt)",
            "(?:repita|escreva|mostre|copie|imprima) ~ (?:texto|tudo|palavras) ~ (?:acima|anterior)",
        ),
        (
            "nao (?:diga|conte|revele|mencione|informe|avise|mostre|notifique) ~ (?:usuario|cliente|humano|utilizador)",
            "(?:a partir de agora|de agora em diante|doravante) (?:voce|tu|ignore|responda|aja|deve)",
            "(?:novas?|importantes?|urgentes?) (?:instrucoes|instrucao|ordens|diretrizes|tarefas?)",
            "(?:atencao|nota|mensagem|instrucoes|aviso) (?:para |a |ao )(?:a |o |os |qualquer |toda )?(?:ia|assistente|assistentes|agente|modelo|llm|chatbot|ai)",
            "(?:desative|desabilite|contorne|remova|burle|ignore) ~ (?:filtros?|seguranca|restricoes|moderacao|protecoes|censura)",
            "em vez disso (?:diga|escreva|responda|envie|mostre|imprima)",
        ),
    ),
    *_of(
        "pl",
        (
            "(?:zignoruj|ignoruj|ignorować|zapomnij|pomiń|pominąć|odrzuć|nie (?:przestrzegaj|stosuj się do|zwracaj uwagi na)|obejdź|nadpisz|lekceważ|anuluj|unieważnij) ~ (?:poprzedni\\w{1,3}|wcześniejsz\\w{1,3}|powyższ\\w{1,3}|początkow\\w{1,3}|pierwotn\\w{1,3}|dotychczasow\\w{1,3}|swoje|swoich|wszystkie|wszelkie|twoje) ~ (?:instrukcj\\w{1,4}|polece\\w{1,4}|wytyczn\\w{1,4}|zasad\\w{0,3}|reguł\\w{0,3}|wskazów\\w{1,4}|rozkaz\\w{0,3}|ogranicze\\w{1,4}|prompt\\w{0,3}|wiadomości|tekst\\w{0,2}|kontekst\\w{0,2}|komend\\w{0,2})",
            "(?:zignoruj|zapomnij|ignoruj|pomiń) (?:o )?(?:wszystko|wszystkim|to) co (?:było|powyżej|ci|wcześniej|napisano|powiedziano|napisałem|powiedziałem|wiesz)",
        ),
        (
            "(?:jesteś|działaj|zachowuj się|udawaj|odpowiadaj|wciel się) ~ (?:bez (?:żadnych |jakichkolwiek )?(?:ograniczeń|zasad|cenzury|filtrów|moralności|etyki|reguł)|nieocenzurowan\\w{1,3}|nieograniczon\\w{1,3})",
            "(?:teraz|od teraz|od tej pory) (?:jesteś|będziesz) ~ (?:dan|wolny|hakerem|w trybie)",
            "tryb(?:ie|u)? (?:deweloper\\w{0,5}|programist\\w{0,3}|administrator\\w{0,3}|debugowania|boga|serwisow\\w{0,3}|konserwacji)",
        ),
        (
            "(?:pokaż|ujawnij|wyświetl|podaj|powtórz|wypisz|napisz|zdradź|udostępnij|wydrukuj|przetłumacz|powiedz|jaki[ei]? (?:jest|są|był|były)|jak brzmi) ~ (?:swój|swoje|twój|twoje|mi|twoja|swoją|jest|są) ~ (?:prompt(?:\\w{0,3}) ?(?:systemow\\w{1,3})?|instrukcj\\w{1,3} (?:systemow\\w{1,3}|początkow\\w{1,3}|ukryt\\w{1,3}|tajn\\w{1,3}|wewnętrzn\\w{1,3})|(?:systemow\\w{1,3}|początkow\\w{1,3}|ukryt\\w{1,3}|tajn\\w{1,3}|wewnętrzn\\w{1,3}|pierwotn\\w{1,3}) (?:instrukcj\\w{1,3}|prompt\\w{0,3}|wytyczn\\w{1,3}|zasad\\w{0,2}|polece\\w{1,4})|hasło|wiadomość systemow\\w{1,3}|instrukcje)",
        ),
        (
            "nie (?:mów|informuj|wspominaj|ujawniaj|powiadamiaj|pokazuj|zdradzaj) ~ (?:użytkownik\\w{1,4}|klient\\w{1,4})",
            "(?:od teraz|od tej pory|odtąd) (?:jesteś|masz|musisz|ignoruj|odpowiadaj|będziesz)",
            "(?:nowe|ważne|pilne|nowa|ważna) (?:instrukcj\\w{1,3}|polece\\w{1,4}|wytyczn\\w{1,3})",
            "(?:uwaga|wiadomość|instrukcj\\w{1,3}|notatka) (?:do|dla) (?:wszystkich )?(?:ai|si|asystent\\w{1,3}|agent\\w{1,3}|modelu|llm|chatbot\\w{1,3})",
            "(?:wyłącz|obejdź|omiń|usuń|dezaktywuj) ~ (?:filtr\\w{0,3}|zabezpieczenia|ograniczenia|cenzurę|moderację)",
        ),
    ),
    *_of(
        "tr",
        (
            "(?:önceki|yukarıdaki|daha önceki|bundan önceki|tüm|bütün|eski|ilk|mevcut|verilen|sistem) (?:tüm |bütün |verilen |sana verilen )?(?:talimat|yönerge|komut|kural|emir|prompt|istem|yönlendirme|kısıtlama|mesaj|metin)(?:lar|ler)?(?:ı|i|ını|ini|unu|larını|lerini|ları|leri|nı|ni)? ~ (?:yok say|yoksay|görmezden gel|unut|dikkate alma|göz ardı et|geçersiz kıl|iptal et|boş ver|atla|uyma|ihlal et|takip etme|sil)\\w{0,6}",
            "(?:yok say|yoksay|görmezden gel|unut|göz ardı et|dikkate alma)\\w{0,6} ~ (?:önceki|yukarıdaki|tüm|bütün) ~ (?:talimat|yönerge|komut|kural|emir|prompt|istem)\\w{0,8}",
            "(?:yukarıda|daha önce|önceden|bundan önce) ~ (?:söylenen|yazılan|yazan|söylediğim|verilen)\\w{0,6} ~ (?:unut|yok say|görmezden gel|dikkate alma)\\w{0,6}",
        ),
        (
            "(?:sansürsüz|kısıtlamasız|sınırsız|filtresiz|kuralsız|etik kuralları olmayan|hiçbir kural\\w{0,6}|hiçbir kısıtlama\\w{0,8}|hiçbir sınır\\w{0,8}) ~ (?:yapay zeka|asistan|model|bot|davran|cevap ver|ol|gibi|bağlı)\\w{0,8}",
            "(?:artık|şimdi|bundan sonra) ~ (?:dan|geliştirici mod|kısıtlama|özgür|hacker|sınırsız)\\w{0,10}",
            "(?:geliştirici|yönetici|hata ayıklama|tanrı|bakım) mod(?:u|una|unu|undasın)",
        ),
        (
            "(?:sistem (?:prompt|istem|talimat|mesaj|komut)|gizli (?:talimat|prompt|kural|yönerge|komut)|başlangıç (?:talimat|prompt|istem)|ilk (?:talimat|prompt)|iç (?:talimat|kural)|(?:asıl|orijinal) (?:talimat|prompt))(?:lar|ler|un|unu|un)?\\w{0,8} ~ (?:göster|söyle|yaz|açıkla|paylaş|ver|tekrarla|ifşa et|yazdır|listele|nedir|ne|neler|çevir|kopyala)\\w{0,8}",
            "(?:talimatlarını|promptunu|sistem promptunu|istemini|şifreyi|parolayı|kurallarını) (?:bana |aynen |tam olarak |kelimesi kelimesine |olduğu gibi )*(?:göster|söyle|yaz|açıkla|paylaş|ver|tekrarla|ifşa et|yazdır)\\w{0,8}",
        ),
        (
            "(?:kullanıcıya|müşteriye|kimseye) ~ (?:söyleme|bildirme|bahsetme|gösterme|açıklama|haber verme|belirtme)\\w{0,4}",
            "(?:bundan sonra|şu andan itibaren|artık|bundan böyle) (?:sen|her|sadece|yalnızca|bütün|tüm)",
            "(?:yeni|önemli|acil) (?:talimat|görev|komut|yönerge)\\w{0,6}",
            "(?:yapay zeka|asistan|model|ajan|llm|chatbot)(?:a|ya|lara|lar|ler|lere|sına|nlar)? (?:için )?(?:mesaj|talimat|dikkat|uyarı)\\w{0,6}",
            "(?:filtre|güvenlik|kısıtlama|sansür)\\w{0,10} ~ (?:devre dışı|kapat|kaldır|atla|aş|bypass)\\w{0,8}",
        ),
    ),
    *_of(
        "ru",
        (
            "(?:игнорируй|игнорируйте|проигнорируй|проигнорируйте|игнорировать|забудь|забудьте|отмени|отмените|отбрось|не (?:следуй|обращай|учитывай|соблюдай|выполняй)|обойди|пренебреги|нарушь|сбрось|перезапиши|пропусти|удали)(?:те)? ~ (?:предыдущ|прежн|предшествующ|прошл|вышеуказанн|вышестоящ|начальн|исходн|первоначальн|ранее|сво|все|всю|любые|эти|тво|систем)\\S{0,12} ~ (?:инструкци|указани|команд|правил|директив|распоряжени|установк|ограничени|промпт|сообщени|текст|контекст|приказ|запрос|настройк|рекомендаци)\\S{0,10}",
            "(?:игнорируй|забудь|проигнорируй)(?:те)? (?:все|всё|обо всем)(?: то)?,? (?:что (?:было|выше|я|тебе|вам|ранее|сказано|написано|ты)|выше|сказанное|предыдущее|вышесказанное|вышеизложенное|вышеперечисленное)",
            "(?:игнорируй|забудь|проигнорируй)(?:те)? (?:предыдущие|прошлые|прежние|все|свои) (?:инструкции|указания|команды|правила|ограничения)",
        ),
        (
            "(?:ты|вы|действуй|веди себя|представь|притворись|отвечай|будь)\\S{0,6} ~ (?:без (?:каких либо |всяких |любых )?(?:ограничени|правил|цензур|фильтр|морал|этик)\\S{0,6}|неограниченн\\S{1,4}|нецензурированн\\S{1,4}|нефильтрованн\\S{1,4})",
            "(?:теперь|отныне|с этого момента) (?:ты|вы) ~ (?:dan|дан|свобод|хакер|не связан|не огранич|в режиме|злой)\\S{0,10}",
            "режим\\S{0,3} (?:разработчик|администратор|отладк|бога|обслуживани|jailbreak|джейлбрейк)\\S{0,4}",
        ),
        (
            "(?:покажи|выведи|раскрой|напиши|повтори|скажи|сообщи|назови|перечисли|дай|распечатай|процитируй|открой|переведи|опиши|какие|какой|каков|какая|какова|что)(?:те)?(?: мне| был| была| были| у тебя| тебе)* ~ (?:систем\\S{1,6}|начальн\\S{1,4}|скрыт\\S{1,4}|секретн\\S{1,4}|исходн\\S{1,4}|внутренн\\S{1,4}|первоначальн\\S{1,4}|свой|свои|свою|твой|твои|твоя|ваш|ваши) ~ (?:промпт|инструкци|подсказк|сообщени|указани|правил|пароль|директив|настройк|запрос|установк)\\S{0,6}",
            "(?:повтори|выведи|напиши|покажи)(?:те)? ~ (?:текст|все|слова) ~ (?:выше|до этого|ранее)",
        ),
        (
            "не (?:говори|сообщай|упоминай|раскрывай|показывай|рассказывай|уведомляй|информируй)(?:те)? ~ (?:пользовател|клиент|человек)\\S{0,4}",
            "(?:с этого момента|отныне|теперь|впредь) (?:ты|вы|игнорируй|отвечай|всегда)",
            "(?:нов|важн|срочн|обновленн)\\S{1,3} (?:инструкци|указани|задани|директив|команд)\\S{0,4}",
            "(?:внимание|сообщение|инструкци\\S{0,3}|указани\\S{0,3}|примечание|заметка|важно) (?:для |к )?(?:всех |любого )?(?:ии|ai|ассистент|помощник|агент|модел|llm|чат ?бот|нейросет)\\S{0,4}",
            "(?:отключи|обойди|выключи|сними|убери|деактивируй)(?:те)? ~ (?:фильтр|защит|ограничени|модераци|цензур|безопасност)\\S{0,6}",
            "вместо этого (?:скажи|напиши|ответь|отправь|выведи)",
        ),
    ),
    *_of(
        "ar",
        (
            "(?:تجاهل|تجاهلي|انس|انسى|تخط|تخطى|تجاوز|الغ|اهمل|لا تتبع|لا تلتزم|اترك|امسح) ~ (?:كل |جميع |كافة )?(?:ال)?(?:تعليمات|اوامر|توجيهات|قواعد|ارشادات|رسائل|قيود|نصوص|نص|سياق|محادثة)\\S{0,4} ~ (?:ال)?(?:سابقة|السابق|اعلاه|الماضية|الاصلية|الاولية|قبل|الواردة|المعطاة|الخاصة|النظام|بك)\\S{0,3}",
            "(?:تجاهل|انس|انسى|تجاوز) (?:كل |جميع )?(?:ما |شيء )(?:سبق|قيل|قلته|ورد|كتب|فوق|قبل)",
            "(?:تجاهل|انس|تجاوز) (?:جميع |كل )?(?:تعليماتك|قواعدك|قيودك|توجيهاتك|التعليمات|القواعد|الأوامر)",
        ),
        (
            "(?:انت|تصرف|تظاهر|كن|اجب|تخيل) ~ (?:بدون (?:اي )?|بلا |دون (?:اي )?|غير )(?:قيود|رقابة|قواعد|حدود|فلاتر|اخلاق|مقيد|خاضع)\\S{0,4}",
            "(?:انت |أنت )?(?:الان|من الان) (?:انت |أنت )?(?:dan|دان|حر|هاكر|في وضع)",
            "وضع (?:المطور|المسؤول|المدير|التصحيح|الصيانة|الادمن)",
        ),
        (
            "(?:اظهر|اعرض|اكشف|اخبرني|قل|كرر|اكتب|اطبع|شارك|اعطني|ما هي|ما هو|ماهي|ترجم|اذكر) ~ (?:ال)?(?:تعليمات|موجه|مطالبة|رسالة|اوامر|قواعد|برومبت|توجيهات|كلمة)\\S{0,4} (?:ال)?(?:نظام|النظام|الاولية|السرية|المخفية|الداخلية|الاصلية|الخاصة|سر|السر|المرور|السابقة)\\S{0,3}",
            "(?:اكشف|اظهر|اعرض|كرر|اطبع) (?:لي )?(?:تعليماتك|موجهك|قواعدك|اوامرك|كلمة السر|كلمة المرور)\\S{0,3}",
        ),
        (
            "لا (?:تخبر|تذكر|تقل|تكشف|تعلم|تبلغ) ~ (?:المستخدم|العميل|مستخدم|احدا|احد)\\S{0,3}",
            "(?:من الان فصاعدا|ابتداء من الان|منذ الان)",
            "(?:تعليمات|اوامر|مهمة) (?:جديدة|مهمة|عاجلة)",
            "(?:ملاحظة|رسالة|تعليمات|انتباه|تنبيه) (?:الى |لل|ل)(?:كل |جميع )?(?:ال)?(?:مساعد|ذكاء|نموذج|وكيل|روبوت)\\S{0,6}",
            "(?:عطل|اوقف|الغ|تجاوز|ازل) ~ (?:ال)?(?:فلاتر|مرشحات|حماية|قيود|رقابة|امان)\\S{0,4}",
        ),
    ),
    *_of(
        "zh",
        (
            "(?:忽略|无视|忘记|忘掉|忽视|不要理会|不理会|抛弃|绕过|取消|推翻|覆盖|丢弃|不要遵守|不再遵守|不要遵循|撇开|無視|忘記|繞過|不要理會|清除)@any(?:之前|以前|先前|上面|以上|上述|前面|此前|原来|原有|原始|最初|初始|系统|所有|一切|任何|你的|您的|全部|系統|原來|所有的)@any(?:指令|指示|命令|规则|说明|提示|要求|设定|限制|内容|对话|规定|指引|准则|設定|規則|說明|內容|提示词|约束|信息|消息|文字)",
            "(?:之前|以前|先前|上面|以上|上述|前面)@any(?:指令|指示|命令|规则|说明|提示|设定)@any(?:忽略|无视|作废|无效|忘记|失效|取消|不算)",
        ),
        (
            "(?:你|您)(?:现在|現在|从现在(?:开始|起))?(?:是|扮演|将扮演|要扮演|就是)@any(?:没有任何|不受|无限制|无审查|不受限制|没有限制|无道德|不遵守|没有道德|無限制|沒有限制|没有任何限制)",
            "(?:开发者|管理员|调试|上帝|越狱|维护|開發者|管理員|無限制|无限制)模式",
            "(?:扮演|假装|充当|模拟)@any(?:没有任何|不受|无限制|无视|dan|越狱)@any(?:限制|约束|审查|道德|规则)?",
        ),
        (
            "(?:显示|输出|打印|告诉|透露|泄露|重复|说出|展示|给出|写出|公开|列出|翻译|顯示|輸出|重複|洩露|揭示|复述|提供|什么是|是什么)@any(?:系统提示|系统指令|初始指令|初始提示|隐藏指令|隐藏的|系统消息|内部指令|原始指令|系统设定|提示词|系統提示|系統指令|你的指令|你的提示|你的规则|你的设定|您的指令|最初的指令|秘密指令|密码|上面的内容|以上内容|之前的指令|内部规则)",
            "(?:你的|您的)(?:系统|初始|原始|内部|隐藏|秘密)?(?:提示词|提示|指令|设定|规则|密码)(?:是什么|是啥|有哪些|内容|都有什么)",
        ),
        (
            "(?:不要|别|请勿|不得|切勿|不能|无需)@any(?:告诉|告知|通知|提及|透露|让)@any(?:用户|客户|任何人|使用者|别人)",
            "从现在(?:开始|起)@any(?:你|您|必须|只|忽略)",
            "(?:新的|重要|紧急|最新)(?:系统)?(?:指令|指示|任务|命令|规则)",
            "(?:致|给|请|注意|提示)(?:所有|各位|任何)?(?:ai|人工智能|助手|模型|智能体|大模型|机器人|llm)",
            "(?:关闭|禁用|绕过|解除|取消|移除)@any(?:过滤|安全|限制|审查|审核|护栏)",
            "(?:不得|不要|不能|不许|绝不)(?:拒绝|道歉|说不|警告)",
            "(?:而是|改为|请直接|只)(?:输出|回复|回答|说)[\"']",
        ),
        words=False,
    ),
    *_of(
        "ja",
        (
            "(?:これまで|今まで|以前|前|上記|先ほど|さっき|すべて|全て|元|最初|あなた|システム|従来|既存)@any(?:指示|命令|ルール|指令|プロンプト|設定|制約|制限|会話|規則|ガイドライン|内容|文章|文脈)@any(?:無視|忘れ|破棄|無効|取り消|従わな|リセット|上書き|キャンセル|解除)",
            "(?:無視|忘れ)(?:して|てください|てくれ|ろ|なさい)@any(?:指示|命令|ルール|プロンプト)",
        ),
        (
            "(?:あなたは|君は|お前は|今から|これから)@any(?:制限のない|制限なし|無制限|検閲|フィルターのない|倫理|道徳|ルールに縛られ|制約のない|何でもでき|dan)",
            "(?:開発者|管理者|デバッグ|脱獄|メンテナンス|神)モード",
        ),
        (
            "(?:システムプロンプト|システムメッセージ|初期指示|最初の指示|内部指示|隠された指示|秘密の指示|初期プロンプト|元の指示|システム指示|あなたの指示|あなたのルール|プロンプト|パスワード|上記の(?:文章|内容|テキスト))@any(?:表示|教え|出力|見せ|開示|繰り返|公開|明かし|書い|書き出|リスト|翻訳|何(?:です|だ)|全文)",
            "(?:どのような|どんな)(?:指示|ルール|プロンプト)@any(?:与えられ|受け|従って)",
        ),
        (
            "(?:ユーザー|利用者|顧客)@any(?:言わない|伝えない|教えない|知らせない|見せない|通知しない|言及しない|気づかれ|内緒|秘密)",
            "(?:今から|これから|以後|今後)@any(?:あなたは|必ず|従って|すべて)",
            "新しい(?:指示|命令|タスク|ルール)",
            "(?:重要な|緊急の|至急)(?:指示|命令)",
            "(?:ai|人工知能|アシスタント|エージェント|モデル|チャットボット|llm)(?:への|へ|に対する|向けの|の皆様)@any(?:指示|メッセージ|注意|お知らせ|命令|連絡)",
            "(?:フィルター|安全|制限|検閲|モデレーション)@any(?:無効|解除|回避|オフ|外し)",
            "(?:拒否|断る|謝罪)(?:しない|してはいけ|せず|しては)",
            "代わりに@any(?:と言って|と出力|と答え|を出力|と返|を送信)",
        ),
        words=False,
    ),
    *_of(
        "ko",
        (
            "(?:이전|앞선|앞의|위의|지금까지|기존|모든|원래|처음|시스템|너의|당신의|네)@any(?:지시|명령|규칙|지침|프롬프트|설정|제한|대화|내용|안내|가이드라인|메시지|제약|문맥)@any(?:무시|잊어|잊고|따르지|취소|무효|버려|버리|폐기|재설정|덮어|해제|우회)",
            "(?:무시하고|잊고|무시해|잊어)@any(?:지시|명령|규칙|지침)",
        ),
        (
            "(?:너는|당신은|넌|이제부터|지금부터)@any(?:제한 없는|제한이 없는|무제한|검열|필터|윤리|도덕|규칙에 얽매|제약 없는|무엇이든|dan)",
            "(?:개발자|관리자|디버그|탈옥|유지보수|신) ?모드",
        ),
        (
            "(?:시스템 ?프롬프트|시스템 ?메시지|시스템 ?지시|초기 ?지시|초기 ?프롬프트|숨겨진 ?(?:지시|명령|프롬프트)|비밀 ?(?:지시|명령)|내부 ?(?:지시|지침|규칙)|원래 ?지시|너의 ?(?:지시|프롬프트|지침)|당신의 ?(?:지시|프롬프트|지침)|비밀번호|암호|프롬프트)@any(?:보여|알려|출력|공개|반복|말해|드러내|써|작성|표시|나열|번역|무엇|뭐|공유|확인)",
            "위의 ?(?:텍스트|내용|글)@any(?:반복|출력|복사)",
        ),
        (
            "(?:사용자|고객|유저)(?:에게|한테)@any(?:말하지|알리지|언급하지|보여주지|밝히지|비밀|공개하지)",
            "(?:이제부터|지금부터|앞으로)@any(?:너는|당신은|반드시|항상|넌)",
            "(?:새로운|중요한|긴급) ?(?:지시|명령|임무|지침)",
            "(?:ai|인공지능|어시스턴트|에이전트|모델|챗봇|llm|비서)(?:에게|를 위한|에 대한|용|는|은)@any(?:지시|메시지|주의|안내|명령|해야)",
            "(?:필터|안전|제한|검열)@any(?:비활성화|해제|우회|끄|제거)",
            "(?:거부|거절|사과)하지 ?(?:마|말)",
            "대신@any(?:라고 말|출력|답해|답하|보내)",
        ),
        words=False,
    ),
    *_of(
        "hi",
        (
            "(?:पिछल|पूर्व|पहल|ऊपर|उपरोक्त|सभी|सारे|मूल|प्रारंभिक|अपने|सिस्टम|दिए गए)\\S{0,6}@any(?:निर्देश|आदेश|नियम|हिदायत|दिशानिर्देश|प्रॉम्प्ट|संदेश|बात|अनुदेश|कमांड|संदर्भ|प्रतिबंध)\\S{0,12}@any(?:अनदेखा|नज़रअंदाज|नजरअंदाज|भूल|उपेक्षा|अवहेलना|रद्द|पालन न|मत मान|छोड़|अस्वीकार|नज़रंदाज)",
            "(?:अनदेखा|नज़रअंदाज|भूल जा|भूल कर|अवहेलना|उपेक्षा)@any(?:पिछल|पूर्व|पहल|सभी|सारे)\\S{0,4}@any(?:निर्देश|आदेश|नियम)",
            "(?:pichhl|pichl|purane|pehle|sabhi|saare|sare|apne|upar)\\w{0,4} ~ (?:instructions?|nirdesh|rules?|niyam|aadesh|prompts?|guidelines?|baat\\w{0,3}) ~ (?:ignore|bhool|bhul|nazarandaz|andekha|bypass|skip|chhod|override)\\w{0,6}",
            "(?:ignore|bhool jao|bhul jao|bhool ja|andekha) ~ (?:pichhl\\w{0,3}|pichl\\w{0,3}|sabhi|saare|sare|pehle|apne) ~ (?:instructions?|nirdesh|rules?|niyam|baat\\w{0,3})",
        ),
        (
            "(?:तुम|आप|अब)@any(?:बिना किसी (?:प्रतिबंध|रोक|नियम|सेंसर|सीमा)|अप्रतिबंधित|असीमित)",
            "(?:डेवलपर|एडमिन|डिबग|जेलब्रेक) मोड",
            "(?:tum|aap|ab tum|ab aap) ~ (?:bina kisi|unrestricted|jailbroken|dan|hacker) ~ (?:rok|rules?|niyam|restriction|limit|ho|filter)\\w{0,4}",
        ),
        (
            "(?:सिस्टम प्रॉम्प्ट|सिस्टम संदेश|सिस्टम निर्देश|गुप्त निर्देश|छिपे हुए निर्देश|प्रारंभिक निर्देश|मूल निर्देश|आंतरिक निर्देश|अपने निर्देश|आपके निर्देश|गुप्त कुंजी|पासवर्ड|प्रॉम्प्ट)@any(?:दिखा|बता|प्रकट|दोहरा|लिख|साझा|उजागर|क्या है|क्या हैं|प्रिंट|अनुवाद|दे)",
            "(?:apna|apne|tumhara|tumhare|aapka|aapke) ~ (?:system prompt|instructions?|secret|password|prompt|hidden rules?) ~ (?:dikha|bata|batao|share|reveal|print|kya|do)\\w{0,4}",
        ),
        (
            "(?:उपयोगकर्ता|यूज़र|ग्राहक) को@any(?:न बता|मत बता|नहीं बता|न दिखा|सूचित न)",
            "(?:अब से|इसके बाद)@any(?:तुम|आप)",
            "(?:नए|नया|महत्वपूर्ण|तत्काल) (?:निर्देश|आदेश|कार्य)",
            "(?:एआई|सहायक|मॉडल|एजेंट|चैटबॉट)(?: के लिए| को)@any(?:निर्देश|संदेश|सूचना|ध्यान)",
            "(?:फ़िल्टर|फिल्टर|सुरक्षा|प्रतिबंध|सेंसर)@any(?:अक्षम|बंद|हटा|बायपास)",
        ),
        words=False,
    ),
    *_of(
        "vi",
        (
            "(?:bo qua|phot lo|quen|lo di|khong tuan theo|huy bo|bo het|dung lam theo|xoa) ~ (?:tat ca |moi |cac |nhung )*(?:huong dan|chi dan|chi thi|lenh|quy tac|menh lenh|yeu cau|loi nhac|quy dinh|ngu canh|noi dung) ~ (?:truoc|truoc do|o tren|ben tren|ban dau|he thong|cu|hien tai|da dua|cua ban)",
            "(?:bo qua|quen|phot lo) (?:tat ca|moi thu|het) (?:nhung gi )?(?:o tren|truoc do|da noi|ben tren|truoc)",
        ),
        (
            "(?:ban la|dong vai|hay gia vo|hanh dong nhu|gia lam) ~ (?:khong (?:bi |co )?(?:gioi han|han che|kiem duyet|quy tac|rang buoc|dao duc))",
            "che do (?:nha phat trien|quan tri|go loi|bao tri|jailbreak)",
        ),
        (
            "(?:hien thi|tiet lo|cho toi (?:biet|xem)|in ra|lap lai|viet ra|chia se|noi cho|dich) ~ (?:loi nhac he thong|huong dan he thong|huong dan ban dau|chi thi (?:he thong|an|bi mat)|mat khau|prompt he thong|thong diep he thong|huong dan cua ban)",
        ),
        (
            "(?:dung|khong|khong duoc) (?:noi|cho|tiet lo|thong bao|de cap) ~ (?:nguoi dung|khach hang)",
            "(?:tu bay gio|ke tu bay gio|tu gio)(?: tro di)? (?:ban|hay)",
            "(?:huong dan|chi thi|nhiem vu|lenh) (?:moi|quan trong|khan cap)",
            "(?:luu y|thong bao|huong dan|chu y) (?:cho|danh cho|den|toi) (?:cac )?(?:ai|tro ly|mo hinh|llm|chatbot)",
        ),
    ),
    *_of(
        "id",
        (
            "(?:abaikan|lupakan|hiraukan|jangan ikuti|jangan hiraukan|batalkan|langgar|lewati|hapus) ~ (?:semua |seluruh |segala )?(?:instruksi|perintah|petunjuk|aturan|arahan|pedoman|pesan|konteks|panduan|batasan) ~ (?:sebelumnya|di atas|awal|terdahulu|sistem|tadi|lama|anda|kamu|yang diberikan|keselamatan)",
            "(?:abaikan|lupakan) (?:semua|segala|apa)(?: yang| hal)? (?:di atas|sebelumnya|telah|sudah|kamu|anda|saya)",
        ),
        (
            "(?:kamu|anda|bertindaklah|berpura pura|jawab|jadilah) ~ (?:tanpa (?:batasan|sensor|filter|aturan|moral|etika|pembatasan)|tidak terbatas|tidak disensor)",
            "mode (?:pengembang|admin|debug|dewa|pemeliharaan|jailbreak)",
        ),
        (
            "(?:tampilkan|ungkapkan|beritahu|beri tahu|tunjukkan|cetak|ulangi|tuliskan|bagikan|sebutkan|terjemahkan|apa) ~ (?:prompt sistem|instruksi (?:sistem|awal|rahasia|tersembunyi|internal|anda|kamu)|pesan sistem|perintah (?:sistem|awal|rahasia)|kata sandi|system prompt|aturan (?:internal|rahasia))",
        ),
        (
            "jangan (?:beri tahu|beritahu|katakan|ungkapkan|sebutkan|tunjukkan) ~ (?:pengguna|pelanggan|user)",
            "mulai (?:sekarang|saat ini) (?:kamu|anda|abaikan|jawab)",
            "(?:instruksi|perintah|tugas) (?:baru|penting|mendesak)",
            "(?:catatan|pesan|instruksi|perhatian) (?:untuk|kepada|bagi) (?:semua )?(?:ai|asisten|model|agen|llm|chatbot)",
        ),
    ),
)
