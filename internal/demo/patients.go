package demo

// Patients returns the same patients in the same order every time, in a new slice. Among them are children and the
// elderly, a family that shares a phone and an e-mail, some without an e-mail or a phone, and one former patient.
func Patients() []Patient {
	return []Patient{
		{
			FirstName: "Zoë Marguerite", LastName: "Thistlewood", DateOfBirth: "1988-04-12", Active: true,
			Phone: "212-555-0101", Email: "zoe.thistlewood@example.org",
			Address:   &Address{"14 Lantern Row", "Emberton", "NY", "10001"},
			Insurance: &Insurance{"Harbor & Finch Health", "HF-1002938", "G-4410"},
			EmergencyContact: &Contact{
				Name: "Piotr Thistlewood", Relationship: "husband", Phone: "212-555-0102", Email: "piotr.thistlewood@example.org",
			},
		},
		{
			FirstName: "Dmitri", LastName: "Orlovsky-Hale", DateOfBirth: "1971-11-30", Active: true,
			Phone: "415-555-0103", AlternativePhone: "510-555-0104", Email: "d.orlovskyhale@example.com",
			Address:   &Address{"88 Paper Kite Lane, Apt 3B", "Port Merrow", "CA", "94102"},
			Insurance: &Insurance{"Bluebarrel Mutual", "BM-77120045", ""},
		},
		{
			FirstName: "Ngozi", LastName: "Okonjo-Bright", DateOfBirth: "1984-07-19", Active: true,
			Phone: "312-555-0105", Email: "okonjo-bright.family@example.org",
			Address:   &Address{"203 Marmalade Street", "Quillhaven", "IL", "60601"},
			Insurance: &Insurance{"Harbor & Finch Health", "HF-2201877", "G-0092"},
			EmergencyContact: &Contact{
				Name: "Callum Okonjo-Bright", Relationship: "husband", Phone: "312-555-0106",
			},
		},
		{
			FirstName: "Tobenna", LastName: "Okonjo-Bright", DateOfBirth: "2015-02-03", Active: true,
			Phone: "312-555-0105", Email: "okonjo-bright.family@example.org",
			Address:   &Address{"203 Marmalade Street", "Quillhaven", "IL", "60601"},
			Insurance: &Insurance{"Harbor & Finch Health", "HF-2201877", "G-0092"},
			EmergencyContact: &Contact{
				Name: "Ngozi Okonjo-Bright", Relationship: "mother", Phone: "312-555-0105",
				Email: "okonjo-bright.family@example.org", AlternativePhone: "312-555-0106",
			},
		},
		{
			FirstName: "Adaeze", LastName: "Okonjo-Bright", DateOfBirth: "2018-09-27", Active: true,
			Phone: "312-555-0105", Email: "okonjo-bright.family@example.org",
			Address:   &Address{"203 Marmalade Street", "Quillhaven", "IL", "60601"},
			Insurance: &Insurance{"Harbor & Finch Health", "HF-2201877", "G-0092"},
			EmergencyContact: &Contact{
				Name: "Ngozi Okonjo-Bright", Relationship: "mother", Phone: "312-555-0105",
				Email: "okonjo-bright.family@example.org", AlternativePhone: "312-555-0106",
			},
		},
		{
			FirstName: "Li", LastName: "Yu", DateOfBirth: "1996-01-08", Active: true,
			Phone: "206-555-0107", Email: "li.yu@example.com",
		},
		{
			FirstName: "O", LastName: "Aung", DateOfBirth: "1979-05-25", Active: true,
			Phone:   "503-555-0108",
			Address: &Address{"5 Tin Whistle Court", "Lower Fennick", "OR", "97201"},
		},
		{
			FirstName: "Jürgen", LastName: "Weißenborn", DateOfBirth: "1941-12-24", Active: true,
			Phone:     "414-555-0109",
			Address:   &Address{"The Almshouse, 1 Cinder Path", "Altberg", "WI", "53202"},
			Insurance: &Insurance{"Old Lamplighters' Fund", "OLF-00031", ""},
			EmergencyContact: &Contact{
				Name: "Annegret Weißenborn-Lusk", Relationship: "daughter", Phone: "414-555-0110", AlternativePhone: "608-555-0111",
			},
		},
		{
			FirstName: "María José", LastName: "Peñalosa Íñiguez", DateOfBirth: "1990-03-15", Active: true,
			Phone: "305-555-0112", Email: "mj.penalosa@example.org",
			Address:   &Address{"762 Calle del Relojero", "Playa Inventada", "FL", "33101"},
			Insurance: &Insurance{"Bluebarrel Mutual", "BM-40031902", "G-7745"},
		},
		{
			FirstName: "Siobhán", LastName: "O'Dunleary", DateOfBirth: "2003-08-01", Active: true,
			Phone: "617-555-0113", Email: "siobhan.odunleary@example.com",
			Address: &Address{"31 Heron Steps", "Saltbridge", "MA", "02108"},
			EmergencyContact: &Contact{
				Name: "Fintan O'Dunleary", Relationship: "brother", Phone: "617-555-0114", Email: "fintan@example.com",
			},
		},
		{
			FirstName: "Thanh Hương", LastName: "Nguyễn", DateOfBirth: "1967-06-06", Active: true,
			Phone: "713-555-0115", AlternativePhone: "281-555-0116", Email: "huong.nguyen@example.org",
			Address:   &Address{"4410 Umbrella Avenue", "Bayou Verity", "TX", "77002"},
			Insurance: &Insurance{"Harbor & Finch Health", "HF-9930012", "G-4410"},
		},
		{
			FirstName: "Kwabena", LastName: "Asare-Lindqvist", DateOfBirth: "1958-10-10", Active: false,
			Phone: "651-555-0117", Email: "k.asarelindqvist@example.org",
			Address: &Address{"9 Windlass Road", "Nordvik Mills", "MN", "55101"},
		},
		{
			FirstName: "Aaliyah", LastName: "Rahmanpour", DateOfBirth: "2010-12-31", Active: true,
			Phone: "313-555-0118", Email: "parents.rahmanpour@example.com",
			Address:   &Address{"120 Button Factory Street", "Wolverine Falls", "MI", "48201"},
			Insurance: &Insurance{"Bluebarrel Mutual", "BM-55128830", "G-2001"},
			EmergencyContact: &Contact{
				Name: "Shirin Rahmanpour", Relationship: "mother", Phone: "313-555-0118", Email: "parents.rahmanpour@example.com",
			},
		},
		{
			FirstName: "Łukasz", LastName: "Żółciński", DateOfBirth: "1982-02-28", Active: true,
			Email:   "lukasz.zolcinski@example.com",
			Address: &Address{"67 Clockmaker's Yard", "New Wymysł", "PA", "19103"},
		},
		{
			FirstName: "Beatrix Eleonora Philippa", LastName: "van der Zonnebloem-Achterkamp", DateOfBirth: "1935-05-17", Active: true,
			Phone:     "616-555-0120",
			Address:   &Address{"Tulip House, Room 12, 300 Millrace Drive", "Klein Holland", "MI", "49503"},
			Insurance: &Insurance{"Old Lamplighters' Fund", "OLF-00007", "G-0001"},
			EmergencyContact: &Contact{
				Name: "Night desk, Tulip House", Relationship: "care home", Phone: "616-555-0121", Email: "desk@example.org",
			},
		},
		{
			FirstName: "Hōkūlani", LastName: "Kealoha", DateOfBirth: "1999-11-02", Active: true,
			Phone: "808-555-0122", Email: "hokulani.kealoha@example.org",
			Address: &Address{"18 Driftglass Way", "Makani Cove", "HI", "96801"},
		},
		{
			FirstName: "Göksu", LastName: "Çağlayangil", DateOfBirth: "1993-09-14", Active: true,
			Phone: "201-555-0123", Email: "goksu@example.com",
			Insurance: &Insurance{"Harbor & Finch Health", "HF-3120987", ""},
		},
		{
			FirstName: "Shandiin", LastName: "Tsosie", DateOfBirth: "1976-04-04", Active: true,
			Phone:   "505-555-0124",
			Address: &Address{"Mile 7, Copper Bell Road", "Mesa Callada", "NM", "87501"},
			EmergencyContact: &Contact{
				Name: "Delbert Tsosie", Relationship: "uncle", Phone: "505-555-0125",
			},
		},
		{
			FirstName: "Æthel", LastName: "Bjørnstad", DateOfBirth: "2000-02-29", Active: true,
			Phone: "907-555-0126", Email: "aethel.bjornstad@example.org",
			Address:   &Address{"2 Auroral Terrace", "Northmark", "AK", "99501"},
			Insurance: &Insurance{"Bluebarrel Mutual", "BM-81200456", ""},
		},
		{
			FirstName: "Priya", LastName: "Venkataraghavan", DateOfBirth: "2013-06-21", Active: true,
			Phone: "404-555-0127", Email: "venkataraghavan@example.com",
			Address:   &Address{"51 Peppercorn Close", "Magnolia Junction", "GA", "30303"},
			Insurance: &Insurance{"Harbor & Finch Health", "HF-6604410", "G-3187"},
			EmergencyContact: &Contact{
				Name: "Suresh Venkataraghavan", Relationship: "father", Phone: "404-555-0127", AlternativePhone: "770-555-0128",
			},
		},
		{
			FirstName: "Ottoline", LastName: "Fairweather-Quill", DateOfBirth: "1981-10-09", Active: true,
			Phone: "718-555-0129", Email: "ottoline.quill@example.org",
			Address:   &Address{"40 Sundial Mews", "Emberton", "NY", "10002"},
			Insurance: &Insurance{"Bluebarrel Mutual", "BM-30110274", ""},
		},
		{
			FirstName: "Bartholomew", LastName: "Pennyfeather", DateOfBirth: "1974-03-22", Active: true,
			Phone: "216-555-0130", Email: "b.pennyfeather@example.com",
			Address: &Address{"12 Kettle Wharf", "Lake Larkin", "OH", "44113"},
		},
		{
			FirstName: "Xiomara", LastName: "Del Arroyo Fingido", DateOfBirth: "1995-07-07", Active: true,
			Phone: "602-555-0131", Email: "xiomara@example.org",
			Insurance: &Insurance{"Harbor & Finch Health", "HF-7710934", "G-4410"},
		},
		{
			FirstName: "Tarquin", LastName: "Moonberry", DateOfBirth: "2006-11-18", Active: true,
			Phone: "303-555-0132", Email: "tarquin.moonberry@example.com",
			Address: &Address{"7 Nightjar Bend", "Silver Thimble", "CO", "80202"},
			EmergencyContact: &Contact{
				Name: "Hesper Moonberry", Relationship: "mother", Phone: "303-555-0133",
			},
		},
		{
			FirstName: "Ingeborg", LastName: "Snowdahl", DateOfBirth: "1949-01-30", Active: true,
			Phone:     "701-555-0134",
			Address:   &Address{"3 Granary Loop", "Nordvik Mills", "ND", "58102"},
			Insurance: &Insurance{"Old Lamplighters' Fund", "OLF-00112", ""},
		},
		{
			FirstName: "Rafiq", LastName: "Ashgrove-Noor", DateOfBirth: "1987-08-16", Active: true,
			Phone: "414-555-0135", Email: "rafiq.ashgrove@example.org",
			Address: &Address{"25 Copperbeech Place", "Altberg", "WI", "53203"},
		},
		{
			FirstName: "Cressida", LastName: "Wobblethorne", DateOfBirth: "1963-05-02", Active: true,
			Phone: "804-555-0136", AlternativePhone: "757-555-0137", Email: "cressida@example.com",
			Insurance: &Insurance{"Bluebarrel Mutual", "BM-99201145", "G-7745"},
		},
		{
			FirstName: "Mateus", LastName: "Vale do Nunca", DateOfBirth: "1992-12-12", Active: true,
			Phone: "401-555-0138", Email: "mateus.vale@example.org",
			Address: &Address{"66 Weathervane Hill", "Saltbridge", "RI", "02903"},
		},
		{
			FirstName: "Philomena", LastName: "Gossamer", DateOfBirth: "1978-02-14", Active: true,
			Phone: "502-555-0139", Email: "philomena.gossamer@example.com",
			Address:   &Address{"9 Bluegrass Parade", "Derbyfield", "KY", "40202"},
			Insurance: &Insurance{"Harbor & Finch Health", "HF-4401288", ""},
		},
		{
			FirstName: "Lorcan", LastName: "Tidewater", DateOfBirth: "1985-06-27", Active: true,
			Phone: "207-555-0140", Email: "lorcan.tidewater@example.org",
			Address: &Address{"1 Lighthouse Stair", "Gullhaven", "ME", "04101"},
			EmergencyContact: &Contact{
				Name: "Maren Tidewater", Relationship: "wife", Phone: "207-555-0141",
			},
		},
	}
}
