/** What the seed writes with: umlauts, accents, cp1252's € and emoji are there on purpose. */

/** `[name, slug, children]`: six shelves with three boards each. The last board was closed years ago. */
export const shelves: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
  [
    'Küche',
    'kueche',
    [
      ['Töpfe & Pfannen', 'toepfe'],
      ['Messer', 'messer'],
      ['Geschirr', 'geschirr'],
    ],
  ],
  [
    'Café & Tee',
    'cafe',
    [
      ['Espressokannen', 'espresso'],
      ['Teekannen', 'teekannen'],
      ['Mühlen', 'muehlen'],
    ],
  ],
  [
    'Garten',
    'garten',
    [
      ['Werkzeug', 'gartenwerkzeug'],
      ['Töpfe für draußen', 'pflanztoepfe'],
      ['Licht', 'gartenlicht'],
    ],
  ],
  [
    'Büro',
    'buero',
    [
      ['Papier', 'papier'],
      ['Füller', 'fueller'],
      ['Ordnung', 'ordnung'],
    ],
  ],
  [
    'Bad',
    'bad',
    [
      ['Tücher', 'tuecher'],
      ['Seife', 'seife'],
      ['Spiegel', 'spiegel'],
    ],
  ],
  [
    'Wohnen',
    'wohnen',
    [
      ['Lampen', 'lampen'],
      ['Decken', 'decken'],
      ['Räucherwerk', 'raeucherwerk'],
    ],
  ],
];

export const adjectives = [
  'Große',
  'Kleine',
  'Schöne',
  'Robuste',
  'Leichte',
  'Blaue',
  'Grüne',
  'Weiße',
  'Alte',
  'Süße',
  'Matte',
  'Runde',
];
export const nouns = [
  'Kanne',
  'Schüssel',
  'Schere',
  'Lampe',
  'Bürste',
  'Dose',
  'Tasse',
  'Crêpière',
  'Mühle',
  'Säge',
  'Decke',
  'Vase',
  'Öllampe',
  'Kiste',
];
export const editions = [
  'Edition Straße',
  'Modell Ålesund',
  'Serie Crème',
  'Typ Zürich',
  'Linie 1900',
  'für 5 €-Regale',
  'Nr. Eins',
];
export const manufacturers = [
  'Müller & Söhne',
  'Böhm',
  'Lefèvre',
  'Stahl AG',
  'Öko-Werk',
  'Cent & € GmbH',
  'Nørgaard',
  'O’Hara „Irish“',
  'Peña',
];
export const tagWords = [
  'küche',
  'geschenk',
  'neu',
  'handarbeit',
  'holz',
  'stahl',
  'glas',
  'vegan',
  'made-in-germany',
  'größe-l',
  'sale',
  'öko',
  'restposten',
  'set',
];
export const sentences = [
  'Hält ein Leben lang.',
  'Spülmaschinenfest bis 60 °C.',
  'Gefertigt in Görlitz, geprüft in Zürich.',
  'Preis inkl. 2 € Pfand.',
  'À la carte: auch als Geschenk.',
  'Der Griff liegt gut in der Hand; die Oberfläche ist geölt.',
  'Nicht für Induktion geeignet.',
];
export const firstNames = [
  'Jürgen',
  'Zoë',
  'Anna',
  'Björn',
  'Chloé',
  'Emre',
  'Hanna',
  'Łukasz',
  'Mia',
  'Noah',
  'Søren',
  'Ümit',
];
export const lastNames = [
  'Müller',
  'Schäfer',
  'Groß',
  'Weiß',
  'Nowak',
  'Yılmaz',
  'Østergård',
  'Becker',
  'Køster',
  'D’Angelo',
  'Straßer',
];
export const streets = ['Hauptstraße', 'Am Mühlbach', 'Lindenallee', 'Größeweg', 'Bäckergasse'];
export const cities = ['Köln', 'München', 'Görlitz', 'Düsseldorf', 'Zürich', 'Saarbrücken'];
export const reviewTitles = [
  'Sehr schön',
  'Ganz okay 🙂',
  'Nie wieder 😡',
  '👍👍',
  'Größer als gedacht',
  'Très bien',
  'Preis/Leistung: 1 € zu viel',
];
export const reviewBodies = [
  'Genau wie beschrieben, schnelle Lieferung 🚚.',
  'Nach zwei Wochen war der Lack ab 😢 Schade.',
  'Meine Großmutter liebt sie ❤️',
  'Tolle Qualität, würde ich wieder kaufen!',
  'Der Deckel schließt nicht richtig. 👎🏽',
  'Naïve Frage: gibt es das auch in Grün? 🌱',
];
